// An old tensor and differences of its elements -> the new tensor, and back: floats by their order, integers as they are.
//
// Floats of one sign are ordered like their bits, so that the difference of two neighbours is 1 in every binade. Differences
// wrap around, which makes signed and unsigned integers the same.
import type { RawBitReader, RawBitWriter } from '../coder/raw-bits.ts';
import type { TokenReader, TokenWriter } from '../coder/token-stream.ts';
import {
  LENGTH_OF_TOKEN,
  magnitude,
  REST_OF_TOKEN,
  SIGN_OF_TOKEN,
  TOP_OF_TOKEN,
  tokenOf,
  ZERO_TOKEN,
} from '../coder/tokens.ts';
import type { ElementKind } from '../format/element-kinds.ts';
import { BLOCK_CELLS, readCells, writeCells } from './cells.ts';
import { type Levels, ScaleModel } from './scale-model.ts';

/** Where the tokens and the bits below them go. */
export interface ValueWriters {
  readonly tokens: TokenWriter;
  readonly raw: RawBitWriter;
}

export interface ValueReaders {
  readonly tokens: TokenReader;
  readonly raw: RawBitReader;
}

/** A tensor as a matrix: the first dimension, and all others. */
export interface Matrix {
  readonly kind: ElementKind;
  readonly rows: number;
  readonly columns: number;
}

/** Turns float bits into integers of the same order, and back; sign extended both ways. */
export function orderOf(bits: number, flip: number): number {
  return bits ^ ((bits >> 31) & flip);
}

/** The bits that {@link orderOf} turns over; 0 for integers. */
export function flipOf(kind: ElementKind): number {
  return kind.mantissaBits === 0 ? 0 : 2 ** (kind.bits - 1) - 1;
}

/** Exponent of a float as the model counts it: subnormal numbers have the last place of the smallest normal ones. */
export function exponentOf(bits: number, kind: ElementKind): number {
  if (kind.mantissaBits === 0) return 0;
  const exponent = (bits >>> kind.mantissaBits) & kind.exponentMask;
  return exponent === 0 ? 1 : exponent;
}

/**
 * The token of a new element. One that becomes 0 has a token of its own where `mayClear`: its difference would be as long as the
 * old value.
 */
export function tokenBetween(difference: number, fresh: number, sign: number, mayClear: boolean): number {
  return mayClear && fresh === 0 && difference !== 0 ? ZERO_TOKEN : tokenOf(difference, sign);
}

/** Codes `fresh` against `old`, both whole matrices. @param mayClear see {@link tokenBetween} */
export function encodeDifferences(
  { tokens, raw }: ValueWriters,
  { kind, rows, columns }: Matrix,
  levels: Levels,
  old: Uint8Array,
  fresh: Uint8Array,
  mayClear = false,
): void {
  const model = new ScaleModel(levels, kind.mantissaBits > 0);
  const shift = 32 - kind.bits;
  const flip = flipOf(kind);
  const before = blockFor(rows * columns);
  const after = blockFor(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const first = row * columns + column;
      const count = Math.min(BLOCK_CELLS, columns - column);
      readCells(old, kind, first, count, before);
      readCells(fresh, kind, first, count, after);
      for (let cell = 0; cell < count; cell++, column++) {
        const bits = before[cell] as number;
        const difference = ((orderOf(after[cell] as number, flip) - orderOf(bits, flip)) << shift) >> shift;
        const exponent = exponentOf(bits, kind);
        const token = tokenBetween(difference, after[cell] as number, flip === 0 ? 0 : bits >>> 31, mayClear);
        tokens.put(model.context(row, column, exponent), token);
        const rest = REST_OF_TOKEN[token] as number;
        if (rest > 0) raw.put(magnitude(difference) & (2 ** rest - 1), rest);
        if (token !== ZERO_TOKEN) model.learn(LENGTH_OF_TOKEN[token] as number, exponent);
      }
    }
  }
}

/** Fills `fresh`, which holds zeros, from `old`; both whole matrices. */
export function decodeDifferences(
  { tokens, raw }: ValueReaders,
  { kind, rows, columns }: Matrix,
  levels: Levels,
  old: Uint8Array,
  fresh: Uint8Array,
): void {
  const model = new ScaleModel(levels, kind.mantissaBits > 0);
  const shift = 32 - kind.bits;
  const flip = flipOf(kind);
  const before = blockFor(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const first = row * columns + column;
      const count = Math.min(BLOCK_CELLS, columns - column);
      readCells(old, kind, first, count, before);
      for (let cell = 0; cell < count; cell++, column++) {
        const bits = before[cell] as number;
        const exponent = exponentOf(bits, kind);
        const token = tokens.next(model.context(row, column, exponent));
        if (token === ZERO_TOKEN) {
          before[cell] = 0;
          continue;
        }
        let size = TOP_OF_TOKEN[token] as number;
        const rest = REST_OF_TOKEN[token] as number;
        if (rest > 0) size = (size << rest) | raw.take(rest);
        const sign = (SIGN_OF_TOKEN[token] as number) ^ (flip === 0 ? 0 : bits >>> 31);
        const order = ((orderOf(bits, flip) + (sign === 1 ? -size : size)) << shift) >> shift;
        before[cell] = orderOf(order, flip);
        model.learn(LENGTH_OF_TOKEN[token] as number, exponent);
      }
      writeCells(fresh, kind, first, count, before);
    }
  }
}

function blockFor(cells: number): Int32Array {
  return new Int32Array(Math.min(BLOCK_CELLS, cells));
}
