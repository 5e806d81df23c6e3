// An old and a new float32 tensor -> the step of the grid around the old one on which the new one lies, if it does.

import { orderOf } from '../codec/differences.ts';
import { correct } from '../codec/snap.ts';
import type { Correction } from '../format/operations.ts';

export interface Grid {
  readonly step: number;
  /** q of each element. */
  readonly steps: Int32Array;
  readonly corrections: readonly Correction[];
}

/** Differences that are looked at before the whole tensor is. */
const SAMPLES = 2048;
const LEAST_SAMPLES = 8;
/** A difference of fewer half last places than this says little of the step. */
const LEAST_PRECISION = 16;
/** The smallest difference need not be one step. */
const MOST_STEPS_OF_LEAST = 6;
/** Elements that may lie beside the grid. */
const MAX_CORRECTED = 1 / 64;
const MAX_STEPS = 2 ** 30;
const ROUNDS = 8;
const PRECISE_MOVES = 65;
const FLIP = 0x7fff_ffff;

/** @returns null when the new tensor does not lie on a grid, or a value is not finite. */
export function findGrid(old: Float32Array, fresh: Float32Array): Grid | null {
  const samples = sampleMoves(old, fresh);
  if (samples.length < LEAST_SAMPLES) return null;
  // The smallest move may be of an element beside the grid; not every eighth one is.
  for (const guess of [samples[0], samples[samples.length >> 3]]) {
    for (let count = 1; count <= MOST_STEPS_OF_LEAST; count++) {
      const step = narrow(samples, (guess as Move).size / count);
      const grid = step === null ? null : stepsOf(old, fresh, step);
      if (grid !== null) return grid;
    }
  }
  return null;
}

/** How far an element moved, and how far off that may be: half the last place of the new value. */
interface Move {
  readonly size: number;
  readonly error: number;
}

/** Moves that are known well, the smallest first; none when a value is not finite. */
function sampleMoves(old: Float32Array, fresh: Float32Array): Move[] {
  const moves: Move[] = [];
  const stride = Math.max(1, Math.floor(old.length / (SAMPLES * 4)));
  for (let at = 0; at < old.length && moves.length < SAMPLES; at += stride) {
    const size = Math.abs((fresh[at] as number) - (old[at] as number));
    if (!Number.isFinite(size)) return [];
    const error = halfLastPlace(fresh[at] as number);
    if (size >= error * LEAST_PRECISION) moves.push({ size, error });
  }
  return moves.sort((a, b) => a.size - b.size);
}

function halfLastPlace(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -126))));
  return 2 ** (exponent - 24);
}

/**
 * Moves of few steps give the step roughly, which tells how many steps larger moves have, which give it better.
 * @returns a step that nearly all moves are multiples of, or null.
 */
function narrow(samples: readonly Move[], guess: number): number | null {
  let step = guess;
  let uncertainty = 0.1;
  let inside: Move[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const most = Math.max(1, 0.3 / uncertainty);
    const near = samples.filter(({ size }) => size / step < most + 0.5);
    inside = near.filter(({ size, error }) => {
      const count = Math.round(size / step);
      return count > 0 && Math.abs(size - count * step) <= error + count * step * uncertainty;
    });
    if (inside.length === 0 || near.length - inside.length > near.length * MAX_CORRECTED * 2) return null;
    const { better, relativeError } = medianStep(inside, step);
    step = better;
    if (near.length === samples.length && relativeError >= uncertainty) break;
    uncertainty = Math.min(uncertainty, relativeError);
  }
  return withinBounds(inside, step);
}

/** The middle of what the most precise moves say, whatever one of them says; and how far off it may be. */
function medianStep(moves: readonly Move[], step: number): { better: number; relativeError: number } {
  const says = moves
    .map(({ size, error }) => {
      const count = Math.round(size / step);
      return { step: size / count, relativeError: error / (count * step) };
    })
    .sort((a, b) => a.relativeError - b.relativeError)
    .slice(0, PRECISE_MOVES);
  const relativeError = 2 * (says.at(-1)?.relativeError ?? 0.1);
  says.sort((a, b) => a.step - b.step);
  return { better: says[says.length >> 1]?.step ?? step, relativeError };
}

/** Rounding to float32 bounds the step from both sides: the middle of what the moves allow, those left out that contradict. */
function withinBounds(moves: readonly Move[], step: number): number {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (const { size, error } of [...moves].sort((a, b) => a.error / a.size - b.error / b.size).reverse()) {
    const count = Math.round(size / step);
    const [least, most] = [(size - error) / count, (size + error) / count];
    if (least > high || most < low) continue;
    low = Math.max(low, least);
    high = Math.min(high, most);
  }
  return Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : step;
}

function stepsOf(old: Float32Array, fresh: Float32Array, step: number): Grid | null {
  const steps = new Int32Array(old.length);
  const corrections: Correction[] = [];
  const most = Math.ceil(old.length * MAX_CORRECTED);
  for (let at = 0; at < old.length; at++) {
    const before = old[at] as number;
    const after = fresh[at] as number;
    const nearest = Math.round((after - before) / step);
    if (!(Math.abs(nearest) < MAX_STEPS)) return null;
    const count = [nearest, nearest - Math.sign(nearest), nearest + 1, nearest - 1].find((candidate) =>
      Object.is(Math.fround(before + step * candidate), after),
    );
    steps[at] = count ?? nearest;
    if (count !== undefined) continue;
    corrections.push({ at, difference: orderBetween(Math.fround(before + step * nearest), after) });
    if (corrections.length > most) return null;
  }
  return { step, steps, corrections };
}

const PAIR = new Float32Array(2);
const PAIR_BITS = new Int32Array(PAIR.buffer);

/** What {@link correct} adds to the order of `from` to get `to`. */
function orderBetween(from: number, to: number): number {
  PAIR[0] = from;
  PAIR[1] = to;
  return (orderOf(PAIR_BITS[1] as number, FLIP) - orderOf(PAIR_BITS[0] as number, FLIP)) | 0;
}

/** The tensor that a grid makes of an old one. */
export function applyGrid(old: Float32Array, { step, steps, corrections }: Grid): Float32Array {
  const fresh = new Float32Array(old.length);
  for (let at = 0; at < old.length; at++) fresh[at] = (old[at] as number) + step * (steps[at] as number);
  correct(fresh, corrections);
  return fresh;
}
