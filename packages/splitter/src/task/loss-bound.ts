// Two runs on the same samples -> the most that the coded one may lose on samples like these, at a confidence.
import { KerfError } from '@kerf/protocol';
import type { Tally, TallyMetric, TaskKind } from './metric-for.ts';

export interface LossBoundOptions {
  /** Chance in percent that the true loss is no more than the bound, 50 to 99.9: one side only. @default 95 */
  readonly confidencePercent?: number | undefined;
  /** What the bound would be were the same seen on so many samples. @default as many as there are */
  readonly samples?: number | undefined;
}

export const DEFAULT_CONFIDENCE_PERCENT = 95;

/** What a changed answer adds to a tally at least; answers of the other kinds change by as little as one likes. */
const LEAST_CHANGE: Readonly<Record<TaskKind, number>> = { class: 1, text: 1, boxes: 1, defect: 0, none: 0 };

/**
 * Upper bound of the loss in points, by a score interval: the variance is what was seen, or what a loss of that size would
 * have had to have when it comes from changes like those that were seen, whichever is more. So answers that did not change
 * at all prove as much as they can and no more: 300 of them leave a point (Tango 1998, for the difference of paired shares).
 * @throws {KerfError} INVALID_ARGUMENT for runs of different length, or nothing to measure.
 */
export function lossBound(
  metric: TallyMetric,
  whole: readonly Tally[],
  coded: readonly Tally[],
  { confidencePercent = DEFAULT_CONFIDENCE_PERCENT, samples = whole.length }: LossBoundOptions = {},
): number {
  if (whole.length !== coded.length) {
    throw new KerfError('INVALID_ARGUMENT', `runs on ${whole.length} and ${coded.length} samples are no pair`);
  }
  const loss = metric.pointsOf(whole) - metric.pointsOf(coded);
  const ofWhole = influences(whole);
  const ofCoded = influences(coded);
  let squares = 0;
  let changedSquares = 0;
  let changedCubes = 0;
  for (let at = 0; at < whole.length; at++) {
    const moved = 100 * ((ofWhole[at] as number) - (ofCoded[at] as number));
    squares += moved * moved;
    if (isSame(whole[at] as Tally, coded[at] as Tally)) continue;
    changedSquares += (moved + loss) ** 2;
    changedCubes += Math.abs(moved + loss) ** 3;
  }
  const least = (100 * LEAST_CHANGE[metric.kind]) / meanOf(whole);
  // The size of those that the variance is made of: a defect that is missed, not the many masks that differ by a pixel.
  const change = Math.max(least, changedSquares === 0 ? 0 : changedCubes / changedSquares);
  const deviations = normalQuantile(confidencePercent / 100);
  const seen = loss + deviations * Math.sqrt(squares / Math.max(1, whole.length - 1) / samples);
  return Math.max(seen, scoreRoot(loss, (deviations * deviations * change) / samples));
}

/** More are not asked for. */
const MOST_SAMPLES = 1_000_000;

/**
 * How many samples would show that the loss is no more than the limit, were the same seen on them.
 * @returns null where no number of them would, for what was seen is no less than the limit
 * @throws {KerfError} as {@link lossBound}
 */
export function samplesToShow(
  metric: TallyMetric,
  whole: readonly Tally[],
  coded: readonly Tally[],
  {
    confidencePercent,
    maxLossPoints,
  }: Pick<LossBoundOptions, 'confidencePercent'> & { readonly maxLossPoints: number },
): number | null {
  const isShown = (samples: number): boolean =>
    lossBound(metric, whole, coded, { confidencePercent, samples }) <= maxLossPoints;
  if (!isShown(MOST_SAMPLES)) return null;
  let few = 0;
  let enough = MOST_SAMPLES;
  while (enough - few > 1) {
    const middle = (few + enough) >> 1;
    if (isShown(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}

function isSame(left: Tally, right: Tally): boolean {
  return left.right === right.right && left.of === right.of;
}

function meanOf(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, { of }) => sum + of, 0) / tallies.length;
}

/** How each sample moves the share `sum(right) / sum(of)`, to first order; they add up to 0. */
function influences(tallies: readonly Tally[]): Float64Array {
  const right = tallies.reduce((sum, tally) => sum + tally.right, 0);
  const mean = meanOf(tallies);
  const share = right / (mean * tallies.length);
  return Float64Array.from(tallies, (tally) => (tally.right - share * tally.of) / mean);
}

/** The larger x with (x - loss)^2 = x spread; the loss itself where there is none. */
function scoreRoot(loss: number, spread: number): number {
  const half = loss + spread / 2;
  const square = half * half - loss * loss;
  return square < 0 ? loss : half + Math.sqrt(square);
}

/** Of the standard normal distribution, by bisection of its tail (Abramowitz and Stegun 26.2.17, to 1e-7). */
function normalQuantile(share: number): number {
  let low = 0;
  let high = 6;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > 1 - share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function upperTail(deviations: number): number {
  const t = 1 / (1 + 0.2316419 * deviations);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (series * Math.exp((-deviations * deviations) / 2)) / Math.sqrt(2 * Math.PI);
}
