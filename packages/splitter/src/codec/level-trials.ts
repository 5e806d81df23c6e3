// A price of bits -> the levels that it buys, and how right the answers are with them; each price is tried once.
import type { Tally } from '../task/metric-for.ts';
import { type CutSamples, talliesOf } from './cut-samples.ts';
import { type ChannelImportance, designLevels, type LevelDesign, type LevelTensor } from './level-design.ts';
import type { Weighing } from './output-distance.ts';
import { totalVariation } from './planes.ts';
import { type OutputProbe, restoredDesign } from './restored-design.ts';
import { throughLevels } from './through-levels.ts';

/** What the first notch buys, about. */
const FIRST_BITS = 0.4;
const FIRST_TRIALS = 6;
/** A quantiser that sends nothing more than this is as coarse as it gets. */
export const LEAST_BITS = 0.01;

export interface LevelTask {
  readonly tensors: readonly LevelTensor[];
  readonly importance: ChannelImportance;
  /** As the importance was weighed, so are the outputs of the probe. */
  readonly weighing: Weighing;
  readonly maxLevels: number;
  /** On samples of the choice, whichever samples are asked about. */
  readonly probe: OutputProbe;
}

/** Prices are counted in notches: each costs twice as much as two before, and saves about an eighth of the bits. */
export class LevelTrials {
  readonly #task: LevelTask;
  readonly #firstPrice: number;
  readonly #designs = new Map<number, Promise<LevelDesign>>();
  readonly #tallies = new Map<CutSamples, Map<number, Promise<readonly Tally[]>>>();

  constructor(task: LevelTask) {
    this.#task = task;
    this.#firstPrice = firstPrice(task);
  }

  /** @param notch any number; 0 buys about 0.4 bits a value */
  design(notch: number): Promise<LevelDesign> {
    return once(this.#designs, notch, async () => {
      const { tensors, importance, maxLevels, probe, weighing } = this.#task;
      const plain = designLevels(tensors, importance, this.#firstPrice * 2 ** (notch / 2), maxLevels);
      return await restoredDesign(plain, tensors, probe, weighing);
    });
  }

  /** Of the samples, with these levels. */
  tallies(samples: CutSamples, notch: number): Promise<readonly Tally[]> {
    const known = this.#tallies.get(samples) ?? new Map<number, Promise<readonly Tally[]>>();
    this.#tallies.set(samples, known);
    return once(known, notch, async () => {
      const { tables } = await this.design(notch);
      return await talliesOf(samples, (crossing) => throughLevels(crossing, tables));
    });
  }
}

function once<T>(known: Map<number, Promise<T>>, notch: number, make: () => Promise<T>): Promise<T> {
  const found = known.get(notch) ?? make();
  known.set(notch, found);
  return found;
}

/** A price that gives about {@link FIRST_BITS}; no run of the model is needed to see that. */
function firstPrice({ tensors, importance, maxLevels }: LevelTask): number {
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
