// Channels with their importance, and one price of bits for all -> a level table for each tensor.
import type { LevelTable, Tensor } from '@kerf/protocol';
import { type ChannelDesign, designChannel } from './channel-quantiser.ts';
import { type ChannelBins, totalVariation } from './planes.ts';

/** One tensor of the cut that is to be sent in levels. */
export interface LevelTensor {
  readonly name: string;
  readonly channelAxis: number;
  readonly rank: number;
  readonly channels: readonly ChannelBins[];
  /** What the bins were made of. */
  readonly samples: readonly Tensor[];
}

/** How far squared error of 1 in each channel moves the outputs, by tensor. */
export type ChannelImportance = ReadonlyMap<string, Float64Array>;

export interface LevelDesign {
  /** Without priors; the channel that would be missed most comes first, in one group. */
  readonly tables: ReadonlyMap<string, LevelTable>;
  /** Estimated, over the values that the channels hold. */
  readonly bitsPerValue: number;
}

/**
 * The same trade everywhere: a bit is spent where it moves the outputs most.
 * @param bitPrice distance of outputs that one bit is worth
 */
export function designLevels(
  tensors: readonly LevelTensor[],
  importance: ChannelImportance,
  bitPrice: number,
  maxLevels: number,
): LevelDesign {
  let bits = 0;
  let values = 0;
  const tables = tensors.map((tensor): [string, LevelTable] => {
    const weights = importance.get(tensor.name) as Float64Array;
    const designs = tensor.channels.map((channel, index): ChannelDesign => {
      const weight = weights[index] as number;
      // An error in a channel without importance costs nothing: not a bit is spent on it.
      const design = designChannel(channel, weight > 0 ? bitPrice / weight : Number.POSITIVE_INFINITY, maxLevels);
      bits += design.bits;
      values += channel.bins.length;
      return design;
    });
    return [tensor.name, tableOf(tensor, designs, weights)];
  });
  return { tables: new Map(tables), bitsPerValue: values === 0 ? 0 : bits / values };
}

function tableOf(tensor: LevelTensor, designs: readonly ChannelDesign[], weights: Float64Array): LevelTable {
  const missed = tensor.channels.map((channel, index) => (weights[index] as number) * totalVariation(channel));
  const isSent = (channel: number): number => ((designs[channel]?.values.length ?? 0) > 1 ? 1 : 0);
  const order = [...designs.keys()].sort(
    (left, right) =>
      isSent(right) - isSent(left) || (missed[right] as number) - (missed[left] as number) || left - right,
  );
  return {
    id: '',
    channelAxis: tensor.channelAxis,
    rank: tensor.rank,
    channels: designs.map(({ thresholds, values }) => ({ thresholds, values })),
    order,
    groups: [designs.length],
    priors: null,
    restoration: null,
    golden: null,
  };
}
