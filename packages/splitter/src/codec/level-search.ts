// Samples at a cut and a loss that is allowed -> about the coarsest levels that other samples could show to stay within it.
import { lossBound } from '../task/loss-bound.ts';
import { type PairedLoss, pairedLoss, type Tally } from '../task/metric-for.ts';
import { type CutSamples, talliesOf } from './cut-samples.ts';
import { type ChannelImportance, designLevels, type LevelDesign, type LevelTensor } from './level-design.ts';
import { totalVariation } from './planes.ts';
import { type OutputProbe, restoredDesign } from './restored-design.ts';
import { throughLevels } from './through-levels.ts';

export interface SearchRequest {
  readonly samples: CutSamples;
  /** Of the samples, when nothing is lost. */
  readonly whole: readonly Tally[];
  readonly tensors: readonly LevelTensor[];
  readonly importance: ChannelImportance;
  readonly maxLossPoints: number;
  /** The bound of the loss has to keep the limit, as it would be on so many samples. */
  readonly confidencePercent: number;
  readonly judgedSamples: number;
  readonly maxLevels: number;
  /** On samples of the choice, whichever samples the search is over. */
  readonly probe: OutputProbe;
  readonly onProgress: (text: string) => void;
}

export interface TriedLevels {
  /** Distance of outputs that a bit was worth. */
  readonly bitPrice: number;
  readonly design: LevelDesign;
  readonly loss: PairedLoss;
  /** Of the loss, in points, see {@link lossBound}. */
  readonly upperLossPoints: number;
  readonly tallies: readonly Tally[];
}

/** Where the search starts: what good codecs need. */
const FIRST_BITS = 0.4;
const FIRST_TRIALS = 6;
const STRIDE = 4;
const HALVINGS = 2;
/** A finer trial that spends no more than this share more is as fine as levels get. */
const NO_FINER = 1.02;
/** A quantiser that sends nothing more than this is as coarse as it gets. */
export const LEAST_BITS = 0.01;

/**
 * Moves the price of a bit in long strides, then in short ones. The loss is measured, so it is no smooth function of the
 * price: what is found is where samples that were not looked at are to be asked, and no more.
 * @returns the finest that were tried when not even they keep the limit.
 */
export async function searchLevels(request: SearchRequest): Promise<TriedLevels> {
  let good: TriedLevels | null = null;
  let bad: TriedLevels | null = null;
  let price = firstPrice(request);
  let lastBits = 0;
  for (;;) {
    const tried = await tryPrice(request, price);
    if (tried.upperLossPoints <= request.maxLossPoints) good = tried;
    else bad = tried;
    if (good !== null && bad !== null) break;
    const { bitsPerValue } = tried.design;
    if (good !== null && bitsPerValue < LEAST_BITS) return good;
    if (good === null && bitsPerValue <= lastBits * NO_FINER) return tried;
    lastBits = bitsPerValue;
    price *= good === null ? 1 / STRIDE : STRIDE;
  }
  for (let halving = 0; halving < HALVINGS; halving++) {
    const tried = await tryPrice(request, Math.sqrt(good.bitPrice * bad.bitPrice));
    if (tried.upperLossPoints <= request.maxLossPoints) good = tried;
    else bad = tried;
  }
  return good;
}

/** Levels at a price, and their loss on the samples. */
export async function tryPrice(request: SearchRequest, bitPrice: number): Promise<TriedLevels> {
  const { samples, whole, tensors, importance, maxLevels, confidencePercent, judgedSamples } = request;
  const plain = designLevels(tensors, importance, bitPrice, maxLevels);
  const design = await restoredDesign(plain, tensors, request.probe);
  const tallies = await talliesOf(samples, (crossing) => throughLevels(crossing, design.tables));
  const loss = pairedLoss(samples.metric, whole, tallies);
  const upperLossPoints = lossBound(samples.metric, whole, tallies, { confidencePercent, samples: judgedSamples });
  request.onProgress(
    `levels at about ${design.bitsPerValue.toFixed(2)} bits per value: ${loss.lossPoints.toFixed(2)} points, at most ${upperLossPoints.toFixed(2)}`,
  );
  return { bitPrice, design, loss, upperLossPoints, tallies };
}

/** A price that gives about {@link FIRST_BITS}; no run of the model is needed to see that. */
function firstPrice({ tensors, importance, maxLevels }: SearchRequest): number {
  let moved = 0;
  let values = 0;
  for (const { name, channels } of tensors) {
    const weights = importance.get(name) as Float64Array;
    for (const [index, channel] of channels.entries()) {
      moved += (weights[index] as number) * totalVariation(channel);
      values += channel.bins.length;
    }
  }
  // A bit for each value at this price would buy all there is.
  let price = moved > 0 && values > 0 ? moved / values / 4 : 1;
  for (let trial = 0; trial < FIRST_TRIALS; trial++) {
    const { bitsPerValue } = designLevels(tensors, importance, price, maxLevels);
    const ratio = Math.max(bitsPerValue, LEAST_BITS) / FIRST_BITS;
    if (ratio > 0.8 && ratio < 1.25) break;
    price *= ratio ** 2;
  }
  return price;
}
