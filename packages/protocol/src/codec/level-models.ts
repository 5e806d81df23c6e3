// Neighbours of a level -> the odds of its bits, which adapt as they are coded.
import type { LevelTable } from './level-table.ts';
import type { BitCoder } from './range-coder.ts';

/** Sets of models that channels share. */
export const MODEL_CLASSES = 16;

const ZERO_CONTEXTS = 12 * 6 * 4;
const SIGN_CONTEXTS = 9;
/** A magnitude of 8 or more ends in bits of its own. */
const UNARY = 7;
const MAGNITUDE_CONTEXTS = 4 * UNARY;
const REST_CONTEXTS = 64;
const CLASS_MODELS = ZERO_CONTEXTS + SIGN_CONTEXTS + MAGNITUDE_CONTEXTS + REST_CONTEXTS;

/** How many models the tables of this version start with. */
export const LEVEL_MODELS = MODEL_CLASSES * CLASS_MODELS;

const RATE = 5;

export interface AdaptiveModels {
  /** Codes a bit with the odds of a model, which learns from it. @returns the bit */
  code(coder: BitCoder, bit: number, at: number): number;
}

/** Adaptive odds in 65,536ths that a bit is 0. */
export class LevelModels implements AdaptiveModels {
  readonly odds: Uint16Array;

  constructor(table: LevelTable) {
    const learned = table.priors?.models;
    this.odds = learned === undefined ? new Uint16Array(LEVEL_MODELS).fill(1 << 15) : learned.slice();
  }

  code(coder: BitCoder, bit: number, at: number): number {
    const odds = this.odds[at] as number;
    const coded = coder.code(bit, odds);
    this.odds[at] = coded === 0 ? odds + ((65_535 - odds) >> RATE) : odds - ((odds - 1) >> RATE);
    return coded;
  }
}

const SUM_BIN = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11, 11]);
const REFERENCE_BIN = Uint8Array.from([0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5]);

/** Where the planes of a channel, of its reference and of the golden part are. */
export interface PlaneContext {
  readonly rows: number;
  readonly columns: number;
  /** Index of the plane in the levels. */
  readonly from: number;
  /** Index of the plane's first value in the padded magnitudes, and of its reference's; -1: none. */
  readonly padded: number;
  readonly reference: number;
  /** Index of the plane in the golden levels; -1: none. */
  readonly golden: number;
  readonly usual: number;
  readonly most: number;
  readonly modelClass: number;
}

/** Columns and rows of nothing around a plane. */
export const PAD = 2;

/** Codes a plane: `levels` is read by an encoder and written by a decoder; `magnitudes` is written by both. */
export function codePlane(
  coder: BitCoder,
  models: AdaptiveModels,
  levels: Uint8Array,
  magnitudes: Uint8Array,
  golden: Uint8Array | null,
  plane: PlaneContext,
): void {
  const { rows, columns, usual, most, modelClass } = plane;
  const stride = columns + 2 * PAD;
  const zero0 = modelClass * CLASS_MODELS;
  const sign0 = zero0 + ZERO_CONTEXTS;
  const magnitude0 = sign0 + SIGN_CONTEXTS;
  const rest0 = magnitude0 + MAGNITUDE_CONTEXTS;
  const isSigned = usual > 0 && usual < most;
  for (let row = 0; row < rows; row++) {
    let at = plane.from + row * columns;
    let here = plane.padded + row * stride;
    let there = plane.reference + row * stride;
    let known = plane.golden + row * columns;
    for (const end = at + columns; at < end; at++, here++, there++, known++) {
      const level = levels[at] as number;
      const west = magnitudes[here - 1] as number;
      const north = magnitudes[here - stride] as number;
      const sum =
        2 * ((west & 3) + (north & 3)) +
        ((magnitudes[here - stride - 1] as number) & 3) +
        ((magnitudes[here - stride + 1] as number) & 3) +
        ((magnitudes[here - 2] as number) & 3) +
        ((magnitudes[here - 2 * stride] as number) & 3);
      let context = (SUM_BIN[sum] as number) * 24;
      if (plane.reference >= 0) {
        const seen =
          2 * ((magnitudes[there] as number) & 3) +
          ((magnitudes[there - 1] as number) & 3) +
          ((magnitudes[there + 1] as number) & 3) +
          ((magnitudes[there - stride] as number) & 3) +
          ((magnitudes[there + stride] as number) & 3);
        context += (REFERENCE_BIN[seen] as number) * 4;
      }
      if (golden !== null) {
        const distance = Math.abs((golden[known] as number) - usual);
        context += distance > 2 ? 3 : 1 + (distance > 0 ? 1 : 0);
      }
      if (models.code(coder, level === usual ? 0 : 1, zero0 + context) === 0) {
        levels[at] = usual;
        continue;
      }
      let above = usual === 0 ? 1 : 0;
      if (isSigned) above = models.code(coder, level > usual ? 1 : 0, sign0 + (west >> 2) * 3 + (north >> 2));
      const largest = above === 1 ? most - usual : usual;
      const wanted = above === 1 ? level - usual : usual - level;
      const near = magnitude0 + Math.max(west & 3, north & 3) * UNARY;
      let magnitude = 1;
      while (magnitude < largest && magnitude <= UNARY) {
        if (models.code(coder, wanted > magnitude ? 1 : 0, near + magnitude - 1) === 0) break;
        magnitude++;
      }
      if (magnitude > UNARY && magnitude < largest) {
        let node = 1;
        for (let bit = 5; bit >= 0; bit--) {
          node = (node << 1) | models.code(coder, ((wanted - magnitude) >> bit) & 1, rest0 + node);
        }
        magnitude += node & 63;
        if (magnitude > largest) magnitude = largest;
      }
      levels[at] = above === 1 ? usual + magnitude : usual - magnitude;
      magnitudes[here] = (magnitude < 3 ? magnitude : 3) | ((1 + above) << 2);
    }
  }
}
