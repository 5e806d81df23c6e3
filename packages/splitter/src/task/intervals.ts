// A measured share or statistic -> how far chance alone could have moved it.
import { KerfError, type Random, seededRandom } from '@kerf/protocol';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** @default 1 */
  readonly seed?: number;
  /** @default 1000 */
  readonly resamples?: number;
  /** @default 0.95 */
  readonly confidence?: number;
}

/** Two-sided 95 % of the normal distribution. */
const Z_95 = 1.959_963_984_540_054;

/**
 * Wilson's score interval (1927) of a share at 95 %: right for few trials, and for shares of 0 and 1.
 * @returns shares, 0 to 1; all of it when nothing was tried.
 * @throws {KerfError} INVALID_ARGUMENT for counts that are no counts.
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (!(successes >= 0 && trials >= successes && Number.isFinite(trials))) {
    throw new KerfError('INVALID_ARGUMENT', `${successes} of ${trials} is no share`);
  }
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const square = Z_95 ** 2;
  const denominator = 1 + square / trials;
  const centre = (share + square / (2 * trials)) / denominator;
  const half = (Z_95 * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials ** 2))) / denominator;
  // Exactly 0 and 1 at the ends, which rounding would miss by a bit.
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === trials ? 1 : Math.min(1, centre + half),
  };
}

/**
 * Percentile bootstrap over samples: `count` samples are drawn with replacement, again and again.
 * @param statistic of a set in which sample i occurs `weights[i]` times; a NaN (a set without a defect) is left out
 * @returns NaN bounds when no drawn set has the statistic.
 * @throws {KerfError} INVALID_ARGUMENT for no samples.
 */
export function bootstrapInterval(
  count: number,
  statistic: (weights: Uint32Array) => number,
  { seed = 1, resamples = 1000, confidence = 0.95 }: BootstrapOptions = {},
): Interval {
  if (!(Number.isSafeInteger(count) && count > 0)) {
    throw new KerfError('INVALID_ARGUMENT', `an interval needs samples, got ${count}`);
  }
  const random = seededRandom(seed);
  const weights = new Uint32Array(count);
  const values: number[] = [];
  for (let draw = 0; draw < resamples; draw++) {
    drawWeights(weights, random);
    const value = statistic(weights);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((left, right) => left - right);
  const tail = (1 - confidence) / 2;
  return { low: quantileOf(values, tail), high: quantileOf(values, 1 - tail) };
}

function drawWeights(weights: Uint32Array, random: Random): void {
  weights.fill(0);
  for (let at = 0; at < weights.length; at++) {
    const drawn = Math.floor(random() * weights.length);
    weights[drawn] = (weights[drawn] as number) + 1;
  }
}

/** Linear between neighbours. */
function quantileOf(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  // Equal infinities have no difference.
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
