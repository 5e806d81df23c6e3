// Trials at a cut and a loss that is allowed -> about the coarsest levels that other samples could show to stay within it.
import { lossBound } from '../task/loss-bound.ts';
import { type PairedLoss, pairedLoss, type Tally } from '../task/metric-for.ts';
import type { CutSamples } from './cut-samples.ts';
import type { LevelDesign } from './level-design.ts';
import { LEAST_BITS, type LevelTrials } from './level-trials.ts';

export interface SearchRequest {
  readonly trials: LevelTrials;
  readonly samples: CutSamples;
  /** Of the samples, when nothing is lost. */
  readonly whole: readonly Tally[];
  readonly maxLossPoints: number;
  /** The bound of the loss has to keep the limit, as it would be on so many samples. */
  readonly confidencePercent: number;
  readonly judgedSamples: number;
  readonly onProgress: (text: string) => void;
}

export interface TriedLevels {
  /** What a bit was worth, see {@link LevelTrials}. */
  readonly notch: number;
  readonly design: LevelDesign;
  readonly loss: PairedLoss;
  /** Of the loss, in points, see {@link lossBound}. */
  readonly upperLossPoints: number;
  readonly tallies: readonly Tally[];
}

/** In notches. */
const STRIDE = 4;
/** A finer trial that spends no more than this share more is as fine as levels get. */
const NO_FINER = 1.02;

/**
 * Moves the price of a bit in long strides, then in short ones. The loss is measured, so it is no smooth function of the
 * price: what is found is where samples that were not looked at are to be asked, and no more.
 * @returns the finest that were tried when not even they keep the limit.
 */
export async function searchLevels(request: SearchRequest): Promise<TriedLevels> {
  let good: TriedLevels | null = null;
  let bad: TriedLevels | null = null;
  let notch = 0;
  let lastBits = 0;
  for (;;) {
    const tried = await tryNotch(request, notch);
    if (tried.upperLossPoints <= request.maxLossPoints) good = tried;
    else bad = tried;
    if (good !== null && bad !== null) break;
    const { bitsPerValue } = tried.design;
    if (good !== null && bitsPerValue < LEAST_BITS) return good;
    if (good === null && bitsPerValue <= lastBits * NO_FINER) return tried;
    lastBits = bitsPerValue;
    notch += good === null ? -STRIDE : STRIDE;
  }
  while (bad.notch - good.notch > 1) {
    const tried = await tryNotch(request, (good.notch + bad.notch) / 2);
    if (tried.upperLossPoints <= request.maxLossPoints) good = tried;
    else bad = tried;
  }
  return good;
}

/**
 * Levels made in several ways, each searched for as {@link searchLevels} does it.
 * @returns the way whose levels keep the limit at the fewest bits, and those levels
 */
export async function searchWays(
  request: Omit<SearchRequest, 'trials'>,
  ways: readonly LevelTrials[],
): Promise<{ readonly trials: LevelTrials; readonly tried: TriedLevels }> {
  const misses = ({ upperLossPoints }: TriedLevels): number => Number(upperLossPoints > request.maxLossPoints);
  const found = [];
  for (const trials of ways) found.push({ trials, tried: await searchLevels({ ...request, trials }) });
  return found.reduce((best, other) => {
    const order =
      misses(best.tried) - misses(other.tried) || best.tried.design.bitsPerValue - other.tried.design.bitsPerValue;
    return order <= 0 ? best : other;
  });
}

/** Levels at a price, and their loss on the samples. */
export async function tryNotch(request: SearchRequest, notch: number): Promise<TriedLevels> {
  const { trials, samples, whole, confidencePercent, judgedSamples } = request;
  const design = await trials.design(notch);
  const tallies = await trials.tallies(samples, notch);
  const loss = pairedLoss(samples.metric, whole, tallies);
  const upperLossPoints = lossBound(samples.metric, whole, tallies, { confidencePercent, samples: judgedSamples });
  request.onProgress(
    `levels at about ${design.bitsPerValue.toFixed(2)} bits per value: ${loss.lossPoints.toFixed(2)} points, at most ${upperLossPoints.toFixed(2)}`,
  );
  return { notch, design, loss, upperLossPoints, tallies };
}
