// Values of a channel and a price of bits -> thresholds and values with the least sum of squared error and priced bits.
// Entropy-constrained scalar quantisation (Chou, Lookabaugh and Gray 1989), with code lengths that know the neighbours.
import type { LevelChannel } from '@kerf/protocol';
import { BINS, type ChannelBins, totalVariation } from './planes.ts';

/** A quantiser of one channel and what it does on the samples. */
export interface ChannelDesign extends LevelChannel {
  /** Sum over all values. */
  readonly squaredError: number;
  /** Sum over all values, as a coder would spend them that knows the levels to the left and above. */
  readonly bits: number;
}

const MAX_ROUNDS = 10;
/** A round that gains less than this share was the last. */
const LEAST_GAIN = 0.002;

/**
 * @param bitPrice squared error that one bit is worth, above 0
 * @param maxLevels 1 to 64
 */
export function designChannel(channel: ChannelBins, bitPrice: number, maxLevels: number): ChannelDesign {
  const constant = constantDesign(channel);
  if (constant.squaredError === 0 || maxLevels < 2) return constant;
  let best = constant;
  let bestCost = constant.squaredError;
  let levelOfBin = evenLevels(channel, bitPrice, maxLevels);
  const levels = new Uint8Array(channel.bins.length);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const design = measured(channel, levelOfBin, levels);
    const cost = design.squaredError + bitPrice * design.bits;
    const isLast = cost > bestCost * (1 - LEAST_GAIN) && round > 1;
    if (cost < bestCost) {
      best = design;
      bestCost = cost;
    }
    if (isLast) break;
    levelOfBin = cheapestLevels(channel, design, bitPrice);
  }
  const { thresholds, values, squaredError, bits } = best;
  return { thresholds, values, squaredError, bits };
}

function constantDesign(channel: ChannelBins): ChannelDesign {
  const count = channel.bins.length;
  const mean = count === 0 ? 0 : channel.sums.reduce((sum, each) => sum + each, 0) / count;
  return {
    thresholds: new Float32Array(0),
    values: Float32Array.of(mean),
    squaredError: count === 0 ? 0 : totalVariation(channel),
    bits: 0,
  };
}

/** Even steps around the fullest bin, of the size that is best where bits are many; fewer levels come of it by themselves. */
function evenLevels({ counts, width }: ChannelBins, bitPrice: number, maxLevels: number): Uint8Array {
  let centre = 0;
  for (let bin = 1; bin < BINS; bin++) if ((counts[bin] as number) > (counts[centre] as number)) centre = bin;
  const ideal = (0.7 * Math.sqrt((6 * bitPrice) / Math.LN2)) / width;
  const step = Math.max(1, ideal, BINS / (maxLevels - 0.5));
  const stepOf = (bin: number): number => Math.round((bin - centre) / step);
  const first = stepOf(0);
  return Uint8Array.from({ length: BINS }, (_, bin) => Math.min(maxLevels - 1, stepOf(bin) - first));
}

interface MeasuredDesign extends ChannelDesign {
  /** Mean bits of each level. */
  readonly lengths: Float64Array;
}

/** Centroids, error and bits of an assignment of bins to levels; levels without a value are left out. */
function measured(channel: ChannelBins, assigned: Uint8Array, levels: Uint8Array): MeasuredDesign {
  const { levelOfBin, count } = compacted(channel, assigned);
  const { bins } = channel;
  for (let at = 0; at < bins.length; at++) levels[at] = levelOfBin[bins[at] as number] as number;
  const counts = new Float64Array(count);
  const sums = new Float64Array(count);
  const squares = new Float64Array(count);
  for (let bin = 0; bin < BINS; bin++) {
    const level = levelOfBin[bin] as number;
    counts[level] = (counts[level] as number) + (channel.counts[bin] as number);
    sums[level] = (sums[level] as number) + (channel.sums[bin] as number);
    squares[level] = (squares[level] as number) + (channel.squares[bin] as number);
  }
  const values = Float32Array.from(sums, (sum, level) => sum / (counts[level] as number));
  let squaredError = 0;
  for (let level = 0; level < count; level++) {
    squaredError += Math.max(0, (squares[level] as number) - (sums[level] as number) ** 2 / (counts[level] as number));
  }
  const { lengths, bits } = codeLengths(channel, levels, counts);
  return { thresholds: thresholdsOf(channel, levelOfBin, count), values, squaredError, bits, lengths };
}

function compacted({ counts }: ChannelBins, assigned: Uint8Array): { levelOfBin: Uint8Array; count: number } {
  const levelOfBin = new Uint8Array(BINS);
  let level = -1;
  let last = -1;
  for (let bin = 0; bin < BINS; bin++) {
    if ((counts[bin] as number) > 0 && assigned[bin] !== last) {
      level++;
      last = assigned[bin] as number;
    }
    levelOfBin[bin] = Math.max(0, level);
  }
  return { levelOfBin, count: level + 1 };
}

function thresholdsOf({ low, width }: ChannelBins, levelOfBin: Uint8Array, count: number): Float32Array {
  const thresholds = new Float32Array(count - 1);
  for (let bin = 1; bin < BINS; bin++) {
    const level = levelOfBin[bin] as number;
    if (level > (levelOfBin[bin - 1] as number)) thresholds[level - 1] = low + bin * width;
  }
  return thresholds;
}

/** Neighbours that differ from the usual level, near ones twice: 0 to 12, in classes. */
const CONTEXT_OF = Uint8Array.from([0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7]);
const CONTEXTS = 8;
/** Added to each count: a level that was not seen in a context is not impossible. */
const UNSEEN = 0.4;

function codeLengths(
  { planes }: ChannelBins,
  levels: Uint8Array,
  counts: Float64Array,
): { lengths: Float64Array; bits: number } {
  const size = counts.length;
  const seen = contextCounts(planes, levels, counts);
  const lengths = new Float64Array(size);
  let bits = 0;
  for (let context = 0; context < CONTEXTS; context++) {
    let total = 0;
    for (let level = 0; level < size; level++) total += seen[context * size + level] as number;
    if (total === 0) continue;
    for (let level = 0; level < size; level++) {
      const count = seen[context * size + level] as number;
      const spent = count * -Math.log2((count + UNSEEN) / (total + UNSEEN * size));
      lengths[level] = (lengths[level] as number) + spent;
      bits += spent;
    }
  }
  for (let level = 0; level < size; level++) lengths[level] = (lengths[level] as number) / (counts[level] as number);
  return { lengths, bits };
}

function contextCounts(planes: ChannelBins['planes'], levels: Uint8Array, counts: Float64Array): Float64Array {
  const size = counts.length;
  let usual = 0;
  for (let level = 1; level < size; level++) {
    if ((counts[level] as number) > (counts[usual] as number)) usual = level;
  }
  const magnitude = Uint8Array.from({ length: size }, (_, level) => Math.min(2, Math.abs(level - usual)));
  const seen = new Float64Array(CONTEXTS * size);
  let at = 0;
  for (const { rows, columns } of planes) {
    let above = new Uint8Array(columns + 2);
    let here = new Uint8Array(columns + 2);
    for (let row = 0; row < rows; row++) {
      let west = 0;
      for (let column = 1; column <= columns; column++, at++) {
        const level = levels[at] as number;
        const sum =
          2 * (west + (above[column] as number)) + (above[column - 1] as number) + (above[column + 1] as number);
        const index = (CONTEXT_OF[sum] as number) * size + level;
        seen[index] = (seen[index] as number) + 1;
        west = magnitude[level] as number;
        here[column] = west;
      }
      [above, here] = [here, above];
    }
  }
  return seen;
}

/** Each bin goes to the level that is cheapest for its mean. */
function cheapestLevels(channel: ChannelBins, { values, lengths }: MeasuredDesign, bitPrice: number): Uint8Array {
  const levelOfBin = new Uint8Array(BINS);
  // What is best never falls while the values rise, for the costs of two levels differ by a line.
  let from = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const count = channel.counts[bin] as number;
    const mean = count > 0 ? (channel.sums[bin] as number) / count : channel.low + (bin + 0.5) * channel.width;
    let best = from;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let level = from; level < values.length; level++) {
      const cost = (mean - (values[level] as number)) ** 2 + bitPrice * (lengths[level] as number);
      if (cost < bestCost) {
        best = level;
        bestCost = cost;
      }
    }
    from = best;
    levelOfBin[bin] = best;
  }
  return levelOfBin;
}
