// What calibration fixes for one activation: levels of each channel, their order, and what the entropy coder expects.
import { KerfError } from '../errors.ts';
import { MAX_WEIGHT, magnitudeCount } from './level-magnitudes.ts';
import { MAX_SETS, modelCount } from './level-models.ts';

/** Levels of one channel at most. */
export const MAX_LEVELS = 64;
/** Channels of one table at most: those of the widest layers in use, sixteen times over. */
export const MAX_LEVEL_CHANNELS = 1 << 16;
/** Channels that one channel is restored from at most: decoding stays a small multiple of the values. */
export const MAX_SOURCES = 16;

/**
 * One channel: the level of `x` is how many of `thresholds` are at most `x` (a comparison of float32, so that every
 * machine finds the same), and `values[level]` is what the level becomes again.
 *
 * One value and no threshold: the channel is not sent at all and comes back as that constant. A dead zone is a pair of
 * thresholds that lie far from each other.
 */
export interface LevelChannel {
  /** float32, ascending, finite; one fewer than `values`. */
  readonly thresholds: Float32Array;
  /** Reconstruction, float32, ascending, finite; 1 to 64 of them. */
  readonly values: Float32Array;
}

/** What `learnPriors` found in samples; lists have an item for each channel. */
export interface LevelPriors {
  /** The most frequent level: the coder asks first whether a value is it. */
  readonly usual: Uint8Array;
  /** Mean of the reconstructed values, float32: what a channel whose group was cut off comes back as. */
  readonly means: Float32Array;
  /** Which set of models the channel uses: its own, or one shared with channels that are alike where samples are few. */
  readonly sets: Uint16Array;
  /** The channel, earlier in the order, that tells most about this one, and the one that adds most to it; -1: none. */
  readonly firsts: Int32Array;
  readonly seconds: Int32Array;
  /** Where the adaptive models start: those that all channels share, then those of each set. */
  readonly models: Uint16Array;
  /** Magnitudes told in groups: weights, 0 to 127, of 16 groups in 36 contexts of each set. Null: told one by one. */
  readonly magnitudes: Uint8Array | null;
}

/** How a channel follows from what the levels of all channels say. */
export interface RestoredChannel {
  /** Up to {@link MAX_SOURCES} channels, usually itself among them. */
  readonly sources: Uint16Array;
  /** float32: what is added always, the weight of the sum of the four values around, then one for each source. */
  readonly weights: Float32Array;
}

/** Quantised levels of a known part in its usual pose, which frames of a fixture resemble. */
export interface GoldenLevels {
  /** Shape of the tensor that it was made from; its batch is 1. Frames whose other axes differ do without. */
  readonly shape: readonly number[];
  /** As `quantiseLevels` gives them. */
  readonly levels: Uint8Array;
}

export interface LevelTable {
  /** Hex SHA-256 of the table's bytes (see `writeLevelTable`): both sides must hold the same. */
  readonly id: string;
  /** The axis of the tensor that is its channels; never negative. Axis 0 is the batch unless it is this one. */
  readonly channelAxis: number;
  /** Rank of the tensors that it codes. */
  readonly rank: number;
  readonly channels: readonly LevelChannel[];
  /** Channels in the order in which they are coded, most important first. */
  readonly order: readonly number[];
  /** How many channels of `order` each group holds; their sum is that of all channels. A payload may be cut after any group. */
  readonly groups: readonly number[];
  /** Null: every model starts at even odds, and a channel that was cut off comes back as its lowest value. */
  readonly priors: LevelPriors | null;
  readonly golden: GoldenLevels | null;
  /** One for each channel; null: channels come back as the values of their levels. */
  readonly restoration: readonly RestoredChannel[] | null;
}

/** @throws {KerfError} INVALID_ARGUMENT naming the first thing that is wrong with a table. */
export function checkLevelTable(table: LevelTable): void {
  const { channelAxis, rank, channels, order, groups, priors, golden, restoration } = table;
  const count = channels.length;
  if (!isCount(rank, 1, 16)) throw invalid(`rank ${rank} is not 1 to 16`);
  if (!isCount(channelAxis, 0, rank - 1)) throw invalid(`channel axis ${channelAxis} is not one of ${rank}`);
  if (!isCount(count, 1, MAX_LEVEL_CHANNELS)) throw invalid(`${count} channels are not 1 to ${MAX_LEVEL_CHANNELS}`);
  for (const [index, channel] of channels.entries()) checkChannel(index, channel);
  const seen = new Uint8Array(count);
  for (const channel of order) {
    if (!isCount(channel, 0, count - 1) || seen[channel] === 1) throw invalid(`channel ${channel} is out of order`);
    seen[channel] = 1;
  }
  if (order.length !== count) throw invalid(`its order has ${order.length} of ${count} channels`);
  let grouped = 0;
  for (const size of groups) {
    if (!isCount(size, 1, count)) throw invalid(`a group has ${size} channels`);
    grouped += size;
  }
  if (grouped !== count) throw invalid(`its groups hold ${grouped} of ${count} channels`);
  if (priors !== null) checkPriors(table, priors);
  if (golden !== null) checkGolden(table, golden);
  if (restoration !== null) checkRestoration(count, restoration);
}

function checkChannel(index: number, { thresholds, values }: LevelChannel): void {
  if (!isCount(values.length, 1, MAX_LEVELS)) {
    throw invalid(`channel ${index} has ${values.length} values, not 1 to ${MAX_LEVELS}`);
  }
  if (thresholds.length !== values.length - 1) {
    throw invalid(`channel ${index} has ${thresholds.length} thresholds for ${values.length} values`);
  }
  if (!isAscending(thresholds) || !isAscending(values)) {
    throw invalid(`thresholds and values of channel ${index} are not finite and ascending`);
  }
}

function checkPriors({ channels, order }: LevelTable, priors: LevelPriors): void {
  const { usual, means, sets, firsts, seconds, models, magnitudes } = priors;
  const count = channels.length;
  const setCount = sets.reduce((most, set) => Math.max(most, set + 1), 1);
  if ([usual, means, sets, firsts, seconds].some(({ length }) => length !== count)) {
    throw invalid('its priors are for other channels');
  }
  if (setCount > MAX_SETS || models.length !== modelCount(setCount)) throw invalid('its priors are for another coder');
  if (magnitudes !== null && magnitudes.length !== magnitudeCount(setCount)) {
    throw invalid('the weights of its magnitudes are for other sets');
  }
  if (magnitudes?.some((weight) => weight > MAX_WEIGHT)) throw invalid(`a weight is more than ${MAX_WEIGHT}`);
  const places = new Int32Array(count);
  for (const [place, channel] of order.entries()) places[channel] = place;
  for (const [channel, { values }] of channels.entries()) {
    for (const reference of [firsts[channel] as number, seconds[channel] as number]) {
      const isEarlier = isCount(reference, 0, count - 1) && (places[reference] as number) < (places[channel] as number);
      if (reference !== -1 && !isEarlier) throw invalid(`channel ${channel} refers to one that is not coded before it`);
    }
    if ((usual[channel] as number) >= values.length)
      throw invalid(`the usual level of channel ${channel} is none of it`);
    if (!Number.isFinite(means[channel])) throw invalid(`the mean of channel ${channel} is not finite`);
  }
}

function checkGolden({ channelAxis, rank, channels }: LevelTable, { shape, levels }: GoldenLevels): void {
  if (shape.length !== rank || shape[channelAxis] !== channels.length || (channelAxis > 0 && shape[0] !== 1)) {
    throw invalid(`its golden part has the shape [${shape.join(', ')}]`);
  }
  const plane = shape.reduce((product, size) => product * size, 1) / channels.length;
  if (!shape.every((size) => isCount(size, 0, 2 ** 31)) || levels.length !== plane * channels.length) {
    throw invalid(`its golden part has ${levels.length} levels for the shape [${shape.join(', ')}]`);
  }
  for (const [channel, { values }] of channels.entries()) {
    for (let at = channel * plane; at < (channel + 1) * plane; at++) {
      if ((levels[at] as number) >= values.length)
        throw invalid(`its golden part has a level that channel ${channel} lacks`);
    }
  }
}

function checkRestoration(count: number, restoration: readonly RestoredChannel[]): void {
  if (restoration.length !== count) throw invalid(`it restores ${restoration.length} of ${count} channels`);
  for (const [channel, { sources, weights }] of restoration.entries()) {
    if (sources.length > MAX_SOURCES || weights.length !== sources.length + 2) {
      throw invalid(`channel ${channel} is restored from ${sources.length} others with ${weights.length} weights`);
    }
    if (sources.some((source) => source >= count) || weights.some((weight) => !Number.isFinite(weight))) {
      throw invalid(
        `channel ${channel} is restored from a channel that there is not, or with a weight that is not finite`,
      );
    }
  }
}

function isAscending(numbers: Float32Array): boolean {
  for (let at = 0; at < numbers.length; at++) {
    if (!Number.isFinite(numbers[at])) return false;
    if (at > 0 && (numbers[at] as number) < (numbers[at - 1] as number)) return false;
  }
  return true;
}

function isCount(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function invalid(what: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `a level table cannot be used: ${what}; calibrate again`);
}
