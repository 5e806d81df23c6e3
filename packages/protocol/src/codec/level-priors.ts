// Levels of samples -> what the coder of their table starts from, so that the first value is coded as well as the last.
import { KerfError } from '../errors.ts';
import { type AdaptiveModels, LEVEL_MODELS, MODEL_CLASSES } from './level-models.ts';
import type { LevelPriors, LevelTable } from './level-table.ts';
import { LevelWalk } from './level-walk.ts';
import { levelLayout } from './levels.ts';
import type { BitCoder } from './range-coder.ts';

/** Levels of one sample's activation, as `quantiseLevels` gives them. */
export interface LevelSample {
  readonly shape: readonly number[];
  readonly levels: Uint8Array;
}

/** Places that are compared to find the channels that tell of each other, over all samples. */
const COMPARED_PLACES = 4096;
/** A reference is looked for among so many channels before. */
const REFERENCE_WINDOW = 512;
/** A reference must tell at least this much, in bits per value. */
const LEAST_INFORMATION = 0.002;

/**
 * A table whose priors are what these samples say; whatever priors it had are dropped. 20 samples do, more do better.
 * @throws {KerfError} INVALID_ARGUMENT without samples, TENSOR_MISMATCH for one of another shape than the table's.
 */
export function learnPriors(table: LevelTable, samples: readonly LevelSample[]): LevelTable {
  if (samples.length === 0)
    throw new KerfError('INVALID_ARGUMENT', 'priors are learned from samples, and there are none');
  const { usual, means, unusualShare } = channelStatistics(table, samples);
  const references = findReferences(table, samples, usual);
  const classes = classesOf(unusualShare);
  const empty: LevelPriors = { usual, means, classes, references, models: new Uint16Array(LEVEL_MODELS) };
  const counts = new ModelCounts();
  for (const { shape, levels } of samples) {
    const walk = new LevelWalk(shape, { ...table, priors: empty }, levels, counts);
    for (let group = 0; group < table.groups.length; group++) walk.codeGroup(NO_CODER, group, () => {});
  }
  return { ...table, priors: { ...empty, models: counts.odds() } };
}

const NO_CODER: BitCoder = { code: (bit) => bit };

class ModelCounts implements AdaptiveModels {
  private readonly zeros = new Float64Array(LEVEL_MODELS);
  private readonly ones = new Float64Array(LEVEL_MODELS);

  code(_coder: BitCoder, bit: number, at: number): number {
    if (bit === 0) this.zeros[at] = (this.zeros[at] as number) + 1;
    else this.ones[at] = (this.ones[at] as number) + 1;
    return bit;
  }

  odds(): Uint16Array {
    return Uint16Array.from(this.zeros, (zeros, at) => {
      const share = (zeros + 0.4) / (zeros + (this.ones[at] as number) + 0.8);
      return Math.min(65_500, Math.max(36, Math.round(share * 65_536)));
    });
  }
}

interface ChannelStatistics {
  readonly usual: Uint8Array;
  readonly means: Float32Array;
  /** How often the level is another than the usual one, 0 to 1. */
  readonly unusualShare: Float64Array;
}

function channelStatistics(table: LevelTable, samples: readonly LevelSample[]): ChannelStatistics {
  const count = table.channels.length;
  const usual = new Uint8Array(count);
  const means = new Float32Array(count);
  const unusualShare = new Float64Array(count);
  for (const [channel, { values }] of table.channels.entries()) {
    const counts = new Float64Array(values.length);
    forEachPlane(table, samples, channel, (levels) => {
      for (const level of levels) counts[level] = (counts[level] as number) + 1;
    });
    const total = counts.reduce((sum, each) => sum + each, 0);
    let sum = 0;
    for (const [level, each] of counts.entries()) {
      if (each > (counts[usual[channel] as number] as number)) usual[channel] = level;
      sum += each * (values[level] as number);
    }
    means[channel] = total > 0 ? sum / total : (values[0] as number);
    unusualShare[channel] = total > 0 ? 1 - (counts[usual[channel] as number] as number) / total : 0;
  }
  return { usual, means, unusualShare };
}

function forEachPlane(
  table: LevelTable,
  samples: readonly LevelSample[],
  channel: number,
  see: (levels: Uint8Array) => void,
): void {
  for (const { shape, levels } of samples) {
    const { batch, channels, planeSize } = levelLayout(shape, table);
    for (let item = 0; item < batch; item++) {
      const from = (item * channels + channel) * planeSize;
      see(levels.subarray(from, from + planeSize));
    }
  }
}

/** Channels in 16 classes of equal size by how often they are not usual. */
function classesOf(unusualShare: Float64Array): Uint8Array {
  const byShare = [...unusualShare.keys()].sort(
    (a, b) => (unusualShare[a] as number) - (unusualShare[b] as number) || a - b,
  );
  const classes = new Uint8Array(unusualShare.length);
  for (const [place, channel] of byShare.entries()) {
    classes[channel] = Math.floor((place * MODEL_CLASSES) / byShare.length);
  }
  return classes;
}

/** For each channel the earlier one that shares the most information with it about where levels are not usual. */
function findReferences(table: LevelTable, samples: readonly LevelSample[], usual: Uint8Array): Int32Array {
  const references = new Int32Array(table.channels.length).fill(-1);
  const maps = table.channels.map((_, channel) => unusualMap(table, samples, channel, usual[channel] as number));
  const places = maps[0]?.places ?? 0;
  for (const [place, channel] of table.order.entries()) {
    let best = LEAST_INFORMATION;
    const map = maps[channel] as UnusualMap;
    if (map.count === 0 || map.count === places) continue;
    for (let before = Math.max(0, place - REFERENCE_WINDOW); before < place; before++) {
      const other = maps[table.order[before] as number] as UnusualMap;
      const information = sharedInformation(map, other);
      if (information > best) {
        best = information;
        references[channel] = table.order[before] as number;
      }
    }
  }
  return references;
}

interface UnusualMap {
  readonly places: number;
  readonly count: number;
  readonly words: Int32Array;
}

function unusualMap(table: LevelTable, samples: readonly LevelSample[], channel: number, usual: number): UnusualMap {
  const words = new Int32Array(COMPARED_PLACES / 32);
  const total = samples.reduce((sum, { levels }) => sum + levels.length, 0) / table.channels.length;
  const step = Math.max(1, Math.ceil(total / COMPARED_PLACES));
  let count = 0;
  let seen = 0;
  let places = 0;
  forEachPlane(table, samples, channel, (levels) => {
    for (let at = (step - (seen % step)) % step; at < levels.length; at += step) {
      if (levels[at] !== usual) {
        words[places >> 5] = (words[places >> 5] as number) | (1 << (places & 31));
        count++;
      }
      places++;
    }
    seen += levels.length;
  });
  return { places, count, words };
}

/** Mutual information of two maps, in bits per place. */
function sharedInformation(one: UnusualMap, other: UnusualMap): number {
  let both = 0;
  for (let at = 0; at < one.words.length; at++) {
    both += bitCount((one.words[at] as number) & (other.words[at] as number));
  }
  const { places } = one;
  const cell = (joint: number, first: number, second: number): number =>
    joint > 0 ? (joint / places) * Math.log2((joint * places) / (first * second)) : 0;
  const onlyOne = one.count - both;
  const onlyOther = other.count - both;
  return (
    cell(both, one.count, other.count) +
    cell(onlyOne, one.count, places - other.count) +
    cell(onlyOther, places - one.count, other.count) +
    cell(places - one.count - onlyOther, places - one.count, places - other.count)
  );
}

function bitCount(word: number): number {
  let rest = word - ((word >>> 1) & 0x5555_5555);
  rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
