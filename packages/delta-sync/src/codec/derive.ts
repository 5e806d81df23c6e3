// An old matrix and a rule -> the matrix that the rule makes of it, of the same shape and of any kind: weights in another type,
// quantised, scaled by row or column, pruned below a size.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { BLOCK_CELLS, readCells, writeCells } from './cells.ts';
import { bfloatOf, bitsOfFloat, floatOfBits, halfOf, valueOfHalf } from './float-bits.ts';

/** What integers stand for. */
export interface Integers {
  /** The integer that stands for 0, on the side of integers; both where both are. */
  readonly zero: number;
  /** They begin at 0. */
  readonly isUnsigned: boolean;
}

/** How each new element follows from the old one. */
export interface Rule extends Integers {
  /** Kind of the old elements: an index into ELEMENT_KINDS. */
  readonly from: number;
  /** Smaller old values become 0. */
  readonly threshold: number;
  readonly scaleBy: 'whole' | 'row' | 'column';
  /** One, or a float32 of each row or column: old values are multiplied by it, or divided where floats become integers. */
  readonly scales: Float64Array;
}

export const MAX_ZERO = 32_768;
const FLOAT32_BITS = 23;
const HALF_BITS = 10;

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/** @param old bytes of rows * columns elements of `rule.from`; @returns bytes of as many of `kind` */
export function derive(
  old: Uint8Array,
  kind: ElementKind,
  { rows, columns }: Shape,
  rule: Rule,
): Uint8Array<ArrayBuffer> {
  const from = ELEMENT_KINDS[rule.from] as ElementKind;
  const fresh = new Uint8Array(Math.ceil((rows * columns * kind.bits) / 8));
  const make = makerOf(from, kind, rule);
  const cells = new Int32Array(Math.min(BLOCK_CELLS, rows * columns));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const first = row * columns + column;
      const count = Math.min(BLOCK_CELLS, columns - column);
      readCells(old, from, first, count, cells);
      for (let cell = 0; cell < count; cell++, column++) {
        const scale = rule.scales[rule.scaleBy === 'whole' ? 0 : rule.scaleBy === 'row' ? row : column] as number;
        cells[cell] = make(cells[cell] as number, scale);
      }
      writeCells(fresh, kind, first, count, cells);
    }
  }
  return fresh;
}

/** An old element's bits, sign extended, and its scale -> the new one's. */
function makerOf(from: ElementKind, kind: ElementKind, rule: Rule): (bits: number, scale: number) => number {
  const valueOf = readerOf(from, rule);
  const bitsOf = writerOf(kind, rule);
  const divides = from.mantissaBits > 0 && kind.mantissaBits === 0;
  const { threshold } = rule;
  return (bits, scale) => {
    const value = valueOf(bits);
    if (Math.abs(value) < threshold) return bitsOf(0);
    // One as it is keeps bits that are no number.
    if (scale === 1 && from === kind) return bits;
    return bitsOf(divides ? value / scale : value * scale);
  };
}

function readerOf({ bits, mantissaBits }: ElementKind, { isUnsigned, zero }: Integers): (cell: number) => number {
  if (mantissaBits === 0) return (cell) => (isUnsigned ? (cell << (32 - bits)) >>> (32 - bits) : cell) - zero;
  if (mantissaBits === FLOAT32_BITS) return floatOfBits;
  if (mantissaBits === HALF_BITS) return valueOfHalf;
  return (cell) => floatOfBits(cell << 16);
}

function writerOf({ bits, mantissaBits }: ElementKind, { isUnsigned, zero }: Integers): (value: number) => number {
  if (mantissaBits === FLOAT32_BITS) return bitsOfFloat;
  if (mantissaBits === HALF_BITS) return (value) => halfOf(bitsOfFloat(value));
  if (mantissaBits > 0) return (value) => bfloatOf(bitsOfFloat(value));
  const least = isUnsigned ? 0 : -(2 ** (bits - 1));
  const most = least + 2 ** bits - 1;
  return (value) => {
    const whole = toNearestEven(Math.fround(value)) + zero;
    return whole > most ? most : whole >= least ? whole : whole < least ? least : 0;
  };
}

function toNearestEven(value: number): number {
  const below = Math.floor(value);
  const beyond = value - below;
  return beyond > 0.5 || (beyond === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** Elements -> their values as doubles. */
export function valuesOf(
  bytes: Uint8Array,
  kind: ElementKind,
  isUnsigned: boolean,
  count: number,
): Float64Array<ArrayBuffer> {
  const valueOf = readerOf(kind, { isUnsigned, zero: 0 });
  const values = new Float64Array(count);
  const cells = new Int32Array(Math.min(BLOCK_CELLS, count));
  for (let first = 0; first < count; first += BLOCK_CELLS) {
    const size = Math.min(BLOCK_CELLS, count - first);
    readCells(bytes, kind, first, size, cells);
    for (let cell = 0; cell < size; cell++) values[first + cell] = valueOf(cells[cell] as number);
  }
  return values;
}
