// Levels of samples -> what the coder of their table starts from, so that the first value is coded as well as the last.
import { KerfError } from '../errors.ts';
import { typescriptMachine } from './level-machine.ts';
import { magnitudeCount, magnitudeWeights } from './level-magnitudes.ts';
import { LIMITS, MAX_SETS, modelCount, startStates, storedModel } from './level-models.ts';
import { COUNT_BITS, COUNT_MASK, SET_MODELS, SHARED_MODELS } from './level-numbers.ts';
import type { LevelTable } from './level-table.ts';
import { fitsGolden, LevelWalk } from './level-walk.ts';
import { levelLayout } from './levels.ts';

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
const LEAST_INFORMATION = 0.001;
/** A set of models needs so many values of samples, all of its channels together. */
const VALUES_PER_SET = 2048;
/** How many values of its own outweigh what all sets have seen. */
const COMMON_WEIGHT = 2;

export interface PriorOptions {
  /** Whether magnitudes are told in groups, in half the time, with odds that stay; else one by one, with odds that adapt. @default true */
  readonly isGrouped?: boolean;
}

/**
 * A table whose priors are what these samples say; whatever priors it had are dropped. 20 samples do, more do better.
 * @throws {KerfError} INVALID_ARGUMENT without samples, TENSOR_MISMATCH for one of another shape than the table's.
 */
export function learnPriors(
  table: LevelTable,
  samples: readonly LevelSample[],
  { isGrouped = true }: PriorOptions = {},
): LevelTable {
  if (samples.length === 0)
    throw new KerfError('INVALID_ARGUMENT', 'priors are learned from samples, and there are none');
  const { usual, means, unusualShare } = channelStatistics(table, samples);
  const { firsts, seconds } = findReferences(table, samples, usual);
  const sets = modelSets(unusualShare, samples);
  const setCount = sets.reduce((most, set) => Math.max(most, set + 1), 1);
  const models = startModels(setCount);
  const even = isGrouped ? new Uint8Array(magnitudeCount(setCount)) : null;
  const priors = { usual, means, sets, firsts, seconds, models, magnitudes: even };
  const start = { ...table, priors };
  // First what the sets of models say; then, with these as they will be for each frame, how the shared ones correct them.
  const seen = startStates(models);
  const counts = even === null ? undefined : new Int32Array(even.length);
  for (const sample of samples) walkThrough(start, sample, seen, counts);
  storeSets(seen, models, setCount);
  const shared = startStates(models).subarray(0, SHARED_MODELS);
  for (const sample of samples) {
    const states = startStates(models);
    states.set(shared);
    walkThrough(start, sample, states);
    shared.set(states.subarray(0, SHARED_MODELS));
  }
  for (let at = 0; at < SHARED_MODELS; at++) models[at] = stored(shared[at] as number);
  return { ...start, priors: { ...priors, magnitudes: counts === undefined ? null : magnitudeWeights(counts) } };
}

/** Even odds, nothing seen. */
function startModels(setCount: number): Uint16Array {
  return new Uint16Array(modelCount(setCount)).fill(storedModel(1 << 15, 0));
}

/** With the golden part and without, where there is one: a frame may resemble it or not. */
function walkThrough(table: LevelTable, { shape, levels }: LevelSample, states: Int32Array, counts?: Int32Array): void {
  for (const withGolden of fitsGolden(shape, table) ? [false, true] : [false]) {
    // The reference: it leaves what it learned in `states`.
    const walk = new LevelWalk(shape, table, {
      withGolden,
      states,
      limit: LIMITS.learning,
      // Once: the golden part says nothing of magnitudes.
      counts: withGolden ? undefined : counts,
      machineFor: typescriptMachine,
    });
    walk.levels.set(levels);
    const coder = walk.encoder();
    for (let group = 0; group < table.groups.length; group++) walk.codeGroup(coder, group);
    walk.release();
  }
}

function stored(state: number): number {
  return storedModel(state >>> (COUNT_BITS + 6), state & COUNT_MASK);
}

/** A model that has seen little starts near what the same model of all sets has seen. */
function storeSets(states: Int32Array, models: Uint16Array, setCount: number): void {
  for (let model = 0; model < SET_MODELS; model++) {
    let weight = 0;
    let sum = 0;
    for (let set = 0; set < setCount; set++) {
      const state = states[SHARED_MODELS + set * SET_MODELS + model] as number;
      weight += state & COUNT_MASK;
      sum += (state & COUNT_MASK) * (state >>> (COUNT_BITS + 6));
    }
    const common = weight > 0 ? sum / weight : 1 << 15;
    for (let set = 0; set < setCount; set++) {
      const at = SHARED_MODELS + set * SET_MODELS + model;
      const count = (states[at] as number) & COUNT_MASK;
      const odds = ((states[at] as number) >>> (COUNT_BITS + 6)) * count + common * COMMON_WEIGHT;
      models[at] = storedModel(Math.round(odds / (count + COMMON_WEIGHT)), count + (weight > 0 ? 1 : 0));
    }
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

/** A set for each channel where samples have values enough for it; else channels that are unusual equally often share. */
function modelSets(unusualShare: Float64Array, samples: readonly LevelSample[]): Uint16Array {
  const channels = unusualShare.length;
  const values = samples.reduce((sum, { levels }) => sum + levels.length, 0);
  const setCount = Math.max(1, Math.min(channels, MAX_SETS, Math.floor(values / VALUES_PER_SET)));
  const byShare = [...unusualShare.keys()].sort(
    (a, b) => (unusualShare[a] as number) - (unusualShare[b] as number) || a - b,
  );
  const sets = new Uint16Array(channels);
  for (const [place, channel] of byShare.entries()) sets[channel] = Math.floor((place * setCount) / channels);
  return sets;
}

/**
 * For each channel the earlier one that shares the most information with it about where levels are not usual, and the one
 * that adds the most to it.
 */
function findReferences(
  table: LevelTable,
  samples: readonly LevelSample[],
  usual: Uint8Array,
): { firsts: Int32Array; seconds: Int32Array } {
  const firsts = new Int32Array(table.channels.length).fill(-1);
  const seconds = new Int32Array(table.channels.length).fill(-1);
  const maps = table.channels.map((_, channel) => unusualMap(table, samples, channel, usual[channel] as number));
  for (const [place, channel] of table.order.entries()) {
    const map = maps[channel] as UnusualMap;
    if (map.count === 0 || map.count === map.places) continue;
    const earlier = table.order.slice(Math.max(0, place - REFERENCE_WINDOW), place);
    const first = best(earlier, (other) => sharedInformation(map, maps[other] as UnusualMap));
    if (first < 0) continue;
    firsts[channel] = first;
    const known = maps[first] as UnusualMap;
    seconds[channel] = best(earlier, (other) =>
      other === first ? 0 : addedInformation(map, known, maps[other] as UnusualMap),
    );
  }
  return { firsts, seconds };
}

/** The channel with the most information, if it is worth it. */
function best(channels: readonly number[], informationOf: (channel: number) => number): number {
  let found = -1;
  let most = LEAST_INFORMATION;
  for (const channel of channels) {
    const information = informationOf(channel);
    if (information <= most) continue;
    most = information;
    found = channel;
  }
  return found;
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
  return information(both, one.count, other.count, one.places) / Math.max(1, one.places);
}

/** Mutual information of two maps where a third is known, in bits per place. */
function addedInformation(one: UnusualMap, known: UnusualMap, other: UnusualMap): number {
  let all = 0;
  let oneKnown = 0;
  let otherKnown = 0;
  let both = 0;
  for (let at = 0; at < one.words.length; at++) {
    const a = one.words[at] as number;
    const k = known.words[at] as number;
    const b = other.words[at] as number;
    both += bitCount(a & b);
    all += bitCount(a & b & k);
    oneKnown += bitCount(a & k);
    otherKnown += bitCount(b & k);
  }
  const inside = information(all, oneKnown, otherKnown, known.count);
  const outside = information(both - all, one.count - oneKnown, other.count - otherKnown, one.places - known.count);
  return (inside + outside) / Math.max(1, one.places);
}

/** Mutual information in bits, over all places, of two events of which these counts are known. */
function information(both: number, first: number, second: number, places: number): number {
  const cell = (joint: number, a: number, b: number): number =>
    joint > 0 ? joint * Math.log2((joint * places) / (a * b)) : 0;
  return (
    cell(both, first, second) +
    cell(first - both, first, places - second) +
    cell(second - both, places - first, second) +
    cell(places - first - second + both, places - first, places - second)
  );
}

function bitCount(word: number): number {
  let rest = word - ((word >>> 1) & 0x5555_5555);
  rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
