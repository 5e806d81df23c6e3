// A histogram of a value and a method -> the range that its 256 levels cover.
import type { Range } from './affine.ts';
import type { Histogram } from './histogram.ts';

export const RANGE_METHODS = ['minmax', 'percentile', 'entropy'] as const;
export type RangeMethod = (typeof RANGE_METHODS)[number];

export interface RangeOptions {
  readonly method: RangeMethod;
  /** `percentile`: share of the values that is covered, in percent. @default 99.99 */
  readonly percentile?: number;
}

/** Never beyond what was seen. */
export function chooseRange(histogram: Histogram, { method, percentile = 99.99 }: RangeOptions): Range {
  if (histogram.count === 0 || method === 'minmax') return histogram.range;
  return method === 'percentile' ? percentileRange(histogram, percentile / 100) : entropyRange(histogram);
}

/** What is left out lies at both ends in equal parts. */
function percentileRange(histogram: Histogram, share: number): Range {
  const { bins, binned, range } = histogram;
  const tail = (binned * (1 - share)) / 2;
  const edge = (bin: number): number => (bin - bins.length / 2) * histogram.width;
  let low = 0;
  for (let seen = bins[0] as number; seen <= tail && low < bins.length - 1; seen += bins[low] as number) low++;
  let high = bins.length - 1;
  for (let seen = bins[high] as number; seen <= tail && high > 0; seen += bins[high] as number) high--;
  return { min: Math.max(range.min, edge(low)), max: Math.min(range.max, edge(high + 1)) };
}

const LEVELS = 256;
/** Thresholds that are tried. */
const CANDIDATES = 128;

/**
 * The limit at which the values, cut off there and rounded to 256 levels, tell least from what they were: least
 * Kullback-Leibler divergence, as S. Migacz describes for TensorRT ("8-bit Inference with TensorRT", GTC 2017).
 * Exact zeros, of which ReLU makes many, are left out: they cost nothing.
 */
function entropyRange(histogram: Histogram): Range {
  const { range, width } = histogram;
  const bins = histogram.bins.slice();
  const largest = Math.max(-range.min, range.max);
  const half = bins.length / 2;
  bins[half] = (bins[half] as number) - histogram.zeros;
  let best = range;
  let least = Number.POSITIVE_INFINITY;
  for (let step = CANDIDATES; step >= 8; step--) {
    const limit = (largest * step) / CANDIDATES;
    const candidate = { min: Math.max(range.min, -limit), max: Math.min(range.max, limit) };
    const first = Math.max(0, Math.floor(candidate.min / width) + half);
    const last = Math.min(bins.length, Math.ceil(candidate.max / width) + half);
    // Fewer bins than levels say nothing of what rounding costs.
    if (last - first < LEVELS) break;
    const divergence = divergenceOf(bins, first, last);
    if (divergence < least) {
      least = divergence;
      best = candidate;
    }
  }
  return best;
}

/** Of bins [first, last) with all that lies outside added to the ends, from the same in 256 levels. */
function divergenceOf(bins: Float64Array, first: number, last: number): number {
  const reference = bins.slice(first, last);
  const { length } = reference;
  let below = 0;
  for (let bin = 0; bin < first; bin++) below += bins[bin] as number;
  let above = 0;
  for (let bin = last; bin < bins.length; bin++) above += bins[bin] as number;
  // What is cut off counts in the reference only: rounding cannot bring it back.
  const rounded = roundedTo(reference);
  reference[0] = (reference[0] as number) + below;
  reference[length - 1] = (reference[length - 1] as number) + above;
  let total = 0;
  let roundedTotal = 0;
  for (let bin = 0; bin < length; bin++) {
    total += reference[bin] as number;
    roundedTotal += rounded[bin] as number;
  }
  if (roundedTotal === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (let bin = 0; bin < length; bin++) {
    const share = (reference[bin] as number) / total;
    // A bin that rounding leaves empty is as unlikely as one value in the whole.
    if (share > 0) divergence += share * Math.log(share / Math.max((rounded[bin] as number) / roundedTotal, 1 / total));
  }
  return divergence;
}

/** Each level's count spread over those of its bins that are not empty. */
function roundedTo(reference: Float64Array): Float64Array {
  const { length } = reference;
  const rounded = new Float64Array(length);
  for (let level = 0; level < LEVELS; level++) {
    const from = Math.floor((level * length) / LEVELS);
    const to = Math.floor(((level + 1) * length) / LEVELS);
    let sum = 0;
    let filled = 0;
    for (let bin = from; bin < to; bin++) {
      sum += reference[bin] as number;
      if ((reference[bin] as number) > 0) filled++;
    }
    for (let bin = from; bin < to; bin++) if ((reference[bin] as number) > 0) rounded[bin] = sum / filled;
  }
  return rounded;
}
