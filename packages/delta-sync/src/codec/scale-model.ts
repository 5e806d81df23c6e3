// The old value, its row, its column and the differences before it -> the context of the next difference's token.
//
// A weight moves by about what its row and its column move by, whatever its own size. Counted in steps of the old value's
// last place, that is a bit length: level of the row + level of the column - exponent of the old value. How far the
// lengths just seen were off is the second half of the context.

/** Steps of a quarter bit. */
const LEVEL_STEPS = 128;
const DRIFT_STEPS = 5;
export const SCALE_CONTEXTS = LEVEL_STEPS * DRIFT_STEPS;
/** Differences that are expected to be below the last place still differ in how far. */
const FLOAT_OFFSET = 20;

/** How fast the drift follows, in 256ths. */
const FOLLOW = 25;

/** Levels are in quarter bits; this turns them into the drift's 256ths of a bit. */
const LEVEL_UNIT = 64;

export interface Levels {
  /** Of each row, in quarter bits; one for all when there are none by row. */
  readonly rows: Int32Array;
  /** Added by column; empty when there are none. */
  readonly columns: Int32Array;
}

export class ScaleModel {
  readonly #rows: Int32Array;
  readonly #columns: Int32Array;
  readonly #offset: number;
  /** Where the contexts of this kind of number begin. */
  readonly #first: number;
  #expected = 0;
  /** Mean of what was seen beyond what was expected, in 256ths of a bit. */
  #drift = 0;

  constructor(levels: Levels, isFloat: boolean) {
    this.#rows = levels.rows;
    this.#columns = levels.columns;
    this.#offset = isFloat ? FLOAT_OFFSET : 0;
    this.#first = isFloat ? 0 : SCALE_CONTEXTS;
  }

  /** @param exponent of the old value as it is stored, at least 1; 0 for integers */
  context(row: number, column: number, exponent: number): number {
    const rows = this.#rows;
    const columns = this.#columns;
    const level =
      (rows.length === 1 ? (rows[0] as number) : (rows[row] as number)) +
      (columns.length === 0 ? 0 : (columns[column] as number));
    this.#expected = level;
    let step = level - exponent * 4 + this.#offset;
    if (step < 0) step = 0;
    else if (step >= LEVEL_STEPS) step = LEVEL_STEPS - 1;
    const drift = this.#drift;
    const side = drift < -90 ? (drift < -256 ? 0 : 1) : drift < 90 ? 2 : drift < 256 ? 3 : 4;
    return this.#first + step * DRIFT_STEPS + side;
  }

  /** @param length bit length of the difference that was found in the last context */
  learn(length: number, exponent: number): void {
    const beyond = (length + exponent) * 256 - this.#expected * LEVEL_UNIT;
    this.#drift += ((beyond - this.#drift) * FOLLOW) >> 8;
  }
}

/** Contexts of floats and of integers together. */
export const ALL_SCALE_CONTEXTS = 2 * SCALE_CONTEXTS;
