// Levels of rows and columns <-> numbers in the control stream; and an old and a new tensor -> the levels that pay.
import type { BitDecoder, BitEncoder } from '../coder/bit-coder.ts';
import { SYMBOLS } from '../coder/frequencies.ts';
import { decodeNumber, encodeNumber, type NumberOdds, unzigzag, zigzag } from '../coder/number-coder.ts';
import { LENGTH_OF_TOKEN, REST_OF_TOKEN, ZERO_TOKEN } from '../coder/tokens.ts';
import { damaged } from '../damaged.ts';
import { ALL_SCALE_CONTEXTS, type Levels, ScaleModel } from './scale-model.ts';

/** Levels by row and column need so many elements each, or they take more than they save, and memory. */
const ELEMENTS_PER_LEVEL = 4;
/** Exponents go to 255, differences to 32 bits; in quarter bits, with room. */
const MAX_LEVEL = 4096;

const NO_COLUMNS = new Int32Array(0);

export interface LevelRoles {
  readonly mode: number;
  readonly row: number;
  readonly column: number;
}

const MODE = { whole: 0, rows: 1, rowsAndColumns: 2 } as const;

export function writeLevels(coder: BitEncoder, odds: NumberOdds, roles: LevelRoles, { rows, columns }: Levels): void {
  const mode = columns.length > 0 ? MODE.rowsAndColumns : rows.length > 1 ? MODE.rows : MODE.whole;
  encodeNumber(coder, odds, roles.mode, mode);
  let before = 0;
  for (const level of rows) {
    encodeNumber(coder, odds, roles.row, zigzag(level - before));
    before = level;
  }
  for (const level of columns) encodeNumber(coder, odds, roles.column, zigzag(level));
}

/** @throws {KerfError} DELTA_MALFORMED. */
export function readLevels(
  coder: BitDecoder,
  odds: NumberOdds,
  roles: LevelRoles,
  shape: { readonly rows: number; readonly columns: number },
): Levels {
  const mode = decodeNumber(coder, odds, roles.mode, MODE.rowsAndColumns);
  if (mode !== MODE.whole && !mayHaveLevels(shape)) throw damaged('a matrix has too many levels');
  const rows = new Int32Array(mode === MODE.whole ? 1 : shape.rows);
  let before = 0;
  for (let row = 0; row < rows.length; row++) {
    before += unzigzag(decodeNumber(coder, odds, roles.row, 2 * MAX_LEVEL));
    if (Math.abs(before) > MAX_LEVEL) throw damaged('a level is out of range');
    rows[row] = before;
  }
  const columns = mode === MODE.rowsAndColumns ? new Int32Array(shape.columns) : NO_COLUMNS;
  for (let column = 0; column < columns.length; column++) {
    columns[column] = unzigzag(decodeNumber(coder, odds, roles.column, MAX_LEVEL));
  }
  return { rows, columns };
}

function mayHaveLevels({ rows, columns }: { readonly rows: number; readonly columns: number }): boolean {
  return (rows + columns) * ELEMENTS_PER_LEVEL <= rows * columns;
}

/** Differences of a matrix, seen as what the model sees of them. */
export interface Sample {
  readonly rows: number;
  readonly columns: number;
  readonly isFloat: boolean;
  /** Token of each element. */
  readonly tokens: Uint8Array;
  /** Exponent of each old element; 0 for integers. */
  readonly exponents: Uint8Array;
}

export interface PricedLevels {
  readonly levels: Levels;
  /** Of the tokens, the bits below them and the levels themselves. */
  readonly bits: number;
}

/** A level takes about this many bits. */
const BITS_PER_LEVEL = 4;
/** With fewer elements a level by column cannot pay. */
const LEAST_ELEMENTS = 1024;

/** Of fewer, the mean is known no closer than to a bit: telling more of it to each of many small tensors saves nothing. */
const FEW_ELEMENTS = 64;

/** The levels with which the tensor takes least, and what it takes. */
export function chooseLevels(sample: Sample): PricedLevels {
  const { rows, columns, tokens } = sample;
  let restBits = 0;
  for (let at = 0; at < tokens.length; at++) restBits += REST_OF_TOKEN[tokens[at] as number] as number;
  const candidates = [measureLevels(sample, false, false)];
  if (rows > 1 && columns > 1 && tokens.length >= LEAST_ELEMENTS && mayHaveLevels(sample)) {
    candidates.push(measureLevels(sample, true, false), measureLevels(sample, true, true));
  }
  const priced = candidates.map((levels) => ({
    levels,
    bits: restBits + tokenBits(sample, levels) + (levels.rows.length + levels.columns.length) * BITS_PER_LEVEL,
  }));
  return priced.reduce((best, next) => (next.bits < best.bits ? next : best));
}

function measureLevels({ rows, columns, tokens, exponents }: Sample, byRow: boolean, byColumn: boolean): Levels {
  const rowSums = new Float64Array(rows);
  const columnSums = new Float64Array(byColumn ? columns : 0);
  const mean = meanLength(tokens, exponents);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const token = tokens[at] as number;
      // What became 0 says nothing of how far others moved.
      const length = token === ZERO_TOKEN ? mean : (LENGTH_OF_TOKEN[token] as number) + (exponents[at] as number);
      rowSums[row] = (rowSums[row] as number) + length;
      if (byColumn) columnSums[column] = (columnSums[column] as number) + length;
    }
  }
  return {
    rows: byRow
      ? Int32Array.from(rowSums, (sum) => Math.round((4 * sum) / columns))
      : Int32Array.of(tokens.length < FEW_ELEMENTS ? 4 * Math.round(mean) : Math.round(4 * mean)),
    columns: Int32Array.from(columnSums, (sum) => Math.round(4 * (sum / rows - mean))),
  };
}

function meanLength(tokens: Uint8Array, exponents: Uint8Array): number {
  let total = 0;
  let count = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at] === ZERO_TOKEN) continue;
    total += (LENGTH_OF_TOKEN[tokens[at] as number] as number) + (exponents[at] as number);
    count++;
  }
  return count === 0 ? 0 : total / count;
}

/** All zeros between two uses: a tensor of some bytes should not cost a new one. */
const counts = new Uint32Array(ALL_SCALE_CONTEXTS * SYMBOLS);

function tokenBits({ rows, columns, isFloat, tokens, exponents }: Sample, levels: Levels): number {
  const model = new ScaleModel(levels, isFloat);
  const totals = new Uint32Array(ALL_SCALE_CONTEXTS);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const exponent = exponents[at] as number;
      const token = tokens[at] as number;
      const context = model.context(row, column, exponent);
      counts[context * SYMBOLS + token] = (counts[context * SYMBOLS + token] as number) + 1;
      totals[context] = (totals[context] as number) + 1;
      if (token !== ZERO_TOKEN) model.learn(LENGTH_OF_TOKEN[token] as number, exponent);
    }
  }
  let bits = 0;
  for (let context = 0; context < totals.length; context++) {
    const total = totals[context] as number;
    if (total === 0) continue;
    bits += total * Math.log2(total);
    for (let at = context * SYMBOLS, end = at + SYMBOLS; at < end; at++) {
      const count = counts[at] as number;
      if (count > 0) bits -= count * Math.log2(count);
    }
    counts.fill(0, context * SYMBOLS, (context + 1) * SYMBOLS);
    // Contexts that are seldom met share their table with others.
    bits += Math.log2(total);
  }
  return bits;
}

/** Tokens and exponents of a matrix, by the place of each element. */
export function sampleOf(
  shape: { readonly rows: number; readonly columns: number },
  isFloat: boolean,
  tokenAt: (at: number) => number,
  exponentAt: (at: number) => number,
): Sample {
  const count = shape.rows * shape.columns;
  const tokens = new Uint8Array(count);
  const exponents = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    tokens[at] = tokenAt(at);
    exponents[at] = exponentAt(at);
  }
  return { ...shape, isFloat, tokens, exponents };
}
