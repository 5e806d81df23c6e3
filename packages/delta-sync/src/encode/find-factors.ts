// The difference of two float32 matrices -> two thin factors of whole numbers whose product it is, nearly, if it is.
//
// A merged low-rank update (LoRA) leaves a difference of that rank and the rounding to float32. The range of the difference
// is found with random probes (Halko, Martinsson, Tropp: Finding structure with randomness, SIAM Review 2011).
import { seededRandom } from '@kerf/protocol';
import { MAX_FACTOR } from '../codec/low-rank.ts';
import {
  addScaled,
  coordinatesIn,
  type Dense,
  eigen,
  gram,
  orthonormalise,
  product,
  transposed,
} from './dense-matrix.ts';

export interface Factors {
  readonly rank: number;
  readonly scale: number;
  /** rows x rank. */
  readonly left: Int32Array;
  /** rank x columns. */
  readonly right: Int32Array;
}

const PROBES = 40;
/** A larger rank saves nothing against differences of their own. */
const MOST_RANK = 32;
const LEAST_SIZE = 4096;
/** Share of the squares that may be left outside the range. */
const MOST_LEFT = 1e-4;
/** Squares of singular values must fall this much somewhere. */
const LEAST_FALL = 16;
/** Rows and columns of the part that is looked at first. */
const PREVIEW = 96;
/** How coarse the factors are, in last places of the result that they may be off. */
export const FACTOR_ERRORS = [0.02, 0.06, 0.2, 1] as const;

/** The rank and factors before they are rounded. */
export interface RealFactors {
  readonly rank: number;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** Median last place of the new values. */
  readonly lastPlace: number;
}

/** @returns null when the difference has no low rank, or a value is not finite. */
export function findFactors(old: Float32Array, fresh: Float32Array, rows: number, columns: number): RealFactors | null {
  if (rows * columns < LEAST_SIZE || Math.min(rows, columns) < PROBES) return null;
  const preview = differenceOf(old, fresh, columns, spacedOut(rows), spacedOut(columns));
  if (preview === null || rangeOf(preview) === null) return null;
  const all = differenceOf(old, fresh, columns, spacedOut(rows, rows), spacedOut(columns, columns));
  if (all === null) return null;
  const range = rangeOf(all);
  if (range === null) return null;
  const lastPlace = medianLastPlace(fresh);
  return factorsIn(all, range, lastPlace);
}

function spacedOut(count: number, wanted = PREVIEW): number[] {
  const most = Math.min(count, wanted);
  return Array.from({ length: most }, (_, at) => Math.floor((at * count) / most));
}

function differenceOf(
  old: Float32Array,
  fresh: Float32Array,
  columns: number,
  rowsAt: readonly number[],
  columnsAt: readonly number[],
): Dense | null {
  const values = new Float64Array(rowsAt.length * columnsAt.length);
  let to = 0;
  for (const row of rowsAt) {
    for (const column of columnsAt) {
      const at = row * columns + column;
      const difference = (fresh[at] as number) - (old[at] as number);
      if (!Number.isFinite(difference)) return null;
      values[to++] = difference;
    }
  }
  return { rows: rowsAt.length, columns: columnsAt.length, values };
}

/** Orthonormal columns that span the difference, and its coordinates in them; null when they leave too much of it out. */
function rangeOf(difference: Dense): { basis: Dense; coordinates: Dense } | null {
  const { columns, values } = difference;
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  const random = seededRandom(1);
  const probes = Float64Array.from({ length: columns * PROBES }, () => random() * 2 - 1);
  const first = project(difference, { rows: columns, columns: PROBES, values: probes });
  if (!isWithin(first.coordinates, squares)) return null;
  // Once more, from what was found: rounding then turns the range by its square only.
  const better = transposed(first.coordinates);
  orthonormalise(better);
  return project(difference, better);
}

/** A basis of what the difference makes of the probes, and the difference's coordinates in it. */
function project(difference: Dense, probes: Dense): { basis: Dense; coordinates: Dense } {
  const basis = product(difference, probes);
  orthonormalise(basis);
  return { basis, coordinates: coordinatesIn(basis, difference) };
}

/** Whether the coordinates hold nearly all of the squares. */
function isWithin(coordinates: Dense, squares: number): boolean {
  const found = coordinates.values.reduce((sum, value) => sum + value * value, 0);
  return squares > 0 && squares - found < squares * MOST_LEFT;
}

function factorsIn(
  all: Dense,
  { basis, coordinates }: { basis: Dense; coordinates: Dense },
  lastPlace: number,
): RealFactors | null {
  const { rows, columns } = all;
  const { vectors, squares } = eigen(gram(coordinates), PROBES);
  const order = squares.map((_, at) => at).sort((a, b) => (squares[b] as number) - (squares[a] as number));
  const rank = rankOf(order.map((at) => Math.max(0, squares[at] as number)));
  if (rank === null) return null;
  const kept = order.slice(0, rank);
  const left = new Float64Array(rows * rank);
  const right = new Float64Array(rank * columns);
  for (const [term, at] of kept.entries()) {
    const root = Math.sqrt(Math.sqrt(squares[at] as number));
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let probe = 0; probe < PROBES; probe++) {
        sum += (basis.values[row * PROBES + probe] as number) * (vectors[probe * PROBES + at] as number);
      }
      left[row * rank + term] = sum * root;
    }
    const target = right.subarray(term * columns, (term + 1) * columns);
    for (let probe = 0; probe < PROBES; probe++) {
      addScaled(target, coordinates.values, probe * columns, (vectors[probe * PROBES + at] as number) / root);
    }
  }
  return { rank, left, right, rows, columns, lastPlace };
}

/** Where squares of singular values, the largest first, fall most from one to the next: behind it is rounding. */
function rankOf(squares: readonly number[]): number | null {
  let rank = 0;
  let most = LEAST_FALL;
  for (let at = 1; at <= MOST_RANK; at++) {
    const fall = (squares[at - 1] as number) / Math.max(squares[at] as number, Number.MIN_VALUE);
    if (!(fall > most)) continue;
    rank = at;
    most = fall;
  }
  return rank === 0 ? null : rank;
}

function medianLastPlace(values: Float32Array): number {
  const stride = Math.max(1, Math.floor(values.length / 999));
  const sizes: number[] = [];
  for (let at = 0; at < values.length; at += stride) sizes.push(Math.abs(values[at] as number));
  sizes.sort((a, b) => a - b);
  const median = Math.max(sizes[sizes.length >> 1] as number, 2 ** -126);
  return 2 ** (Math.floor(Math.log2(median)) - 23);
}

/**
 * Whole factors whose product is off by about `error` last places.
 * @returns null when they would be too large
 */
export function roundFactors(
  { rank, left, right, rows, columns, lastPlace }: RealFactors,
  error: number,
): Factors | null {
  const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
  const spread = squares(left) / rows + squares(right) / columns;
  const unit = (error * lastPlace) / Math.sqrt(spread / 12);
  const whole = (values: Float64Array): Int32Array | null => {
    const rounded = Int32Array.from(values, (value) => Math.round(value / unit));
    return values.every((value) => Math.abs(value / unit) < MAX_FACTOR - 1) ? rounded : null;
  };
  const [leftSteps, rightSteps] = [whole(left), whole(right)];
  if (leftSteps === null || rightSteps === null || !(unit > 0)) return null;
  return { rank, scale: unit * unit, left: leftSteps, right: rightSteps };
}
