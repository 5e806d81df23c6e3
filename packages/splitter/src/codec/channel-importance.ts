// Channels disturbed one after another -> how much an error in each moves the outputs of the model.
import {
  float32Tensor,
  type LevelTable,
  quantiseLevels,
  reconstructLevels,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { designChannel } from './channel-quantiser.ts';
import type { CutSamples } from './cut-samples.ts';
import type { ChannelImportance, LevelTensor } from './level-design.ts';
import { OutputDistance, type Weighing } from './output-distance.ts';
import { totalVariation } from './planes.ts';

/** Runs of the tail at most: two minutes of a slow one. */
const MAX_RUNS = 1024;
const MAX_SAMPLES = 24;
const LEAST_SAMPLES = 3;
/** A channel is disturbed by quantising it coarsely: at a bit for this share of its variance. */
const DISTURBING_PRICE = 0.25;
/** No channel counts less than this share of the mean: few samples do not prove that it never matters. */
const LEAST_SHARE = 0.02;

interface Disturbed {
  readonly name: string;
  readonly channels: readonly number[];
}

/**
 * Distance of outputs for each unit of squared error, in both ways to weigh samples. Channels share runs, and what was
 * measured, where there are too many.
 * @param finite indices of samples whose tensors are finite
 */
export async function channelImportance(
  samples: CutSamples,
  tensors: readonly LevelTensor[],
  finite: readonly number[],
): Promise<Readonly<Record<Weighing, ChannelImportance>>> {
  const total = tensors.reduce((sum, { channels }) => sum + channels.length, 0);
  const sampleCount = Math.min(
    finite.length,
    Math.max(LEAST_SAMPLES, Math.min(MAX_SAMPLES, Math.floor(MAX_RUNS / total))),
  );
  const disturbed = sharing(tensors, Math.max(1, Math.floor(MAX_RUNS / sampleCount)));
  const tables = new Map(tensors.map((tensor) => [tensor.name, coarseTable(tensor)]));
  const moved = disturbed.map(() => new OutputDistance());
  const errors = new Float64Array(disturbed.length);
  for (const index of finite.slice(0, sampleCount)) {
    const crossing = await samples.crossing(index);
    const expected = await samples.answer(index, crossing);
    const coarse = new Map(tensors.map(({ name }) => [name, coarsely(crossing, name, tables.get(name) as LevelTable)]));
    for (const [at, { name, channels }] of disturbed.entries()) {
      const { values, squaredError } = mixed(
        crossing,
        name,
        coarse.get(name) as Float32Array,
        channels,
        tables.get(name) as LevelTable,
      );
      if (squaredError === 0) continue;
      const shape = crossing.get(name)?.shape ?? [];
      const outputs = await samples.answer(index, new Map([...crossing, [name, float32Tensor(shape, values)]]));
      moved[at]?.add(expected, outputs);
      errors[at] = (errors[at] as number) + squaredError;
    }
  }
  const by = (weighing: Weighing): ChannelImportance =>
    weightsOf(
      tensors,
      disturbed,
      moved.map((distance) => distance.by(weighing)),
      errors,
    );
  return { each: by('each'), together: by('together') };
}

/** Channels of like variation together, so that at most `most` have to be disturbed. */
function sharing(tensors: readonly LevelTensor[], most: number): Disturbed[] {
  const total = tensors.reduce((sum, { channels }) => sum + channels.length, 0);
  const size = Math.ceil(total / most);
  return tensors.flatMap(({ name, channels }) => {
    const variation = channels.map(totalVariation);
    const order = [...channels.keys()].sort(
      (left, right) => (variation[right] as number) - (variation[left] as number),
    );
    const groups: Disturbed[] = [];
    for (let at = 0; at < order.length; at += size) groups.push({ name, channels: order.slice(at, at + size) });
    return groups;
  });
}

function coarseTable({ channelAxis, rank, channels }: LevelTensor): LevelTable {
  return {
    id: '',
    channelAxis,
    rank,
    channels: channels.map((channel) => {
      const variance = totalVariation(channel) / Math.max(1, channel.bins.length);
      return designChannel(channel, variance > 0 ? variance * DISTURBING_PRICE : 1, 64);
    }),
    order: [...channels.keys()],
    groups: [channels.length],
    priors: null,
    restoration: null,
    golden: null,
  };
}

function coarsely(crossing: TensorMap, name: string, table: LevelTable): Float32Array {
  const tensor = crossing.get(name);
  if (tensor === undefined) return new Float32Array(0);
  const values = typedView(tensor as typeof tensor & { dtype: 'float32' });
  return reconstructLevels(quantiseLevels(values, tensor.shape, table), tensor.shape, table);
}

/** The tensor with only these channels taken from `coarse`. */
function mixed(
  crossing: TensorMap,
  name: string,
  coarse: Float32Array,
  channels: readonly number[],
  { channelAxis }: LevelTable,
): { values: Float32Array; squaredError: number } {
  const tensor = crossing.get(name);
  if (tensor === undefined) return { values: new Float32Array(0), squaredError: 0 };
  const values = typedView(tensor as typeof tensor & { dtype: 'float32' }).slice();
  const { shape } = tensor;
  const count = shape[channelAxis] as number;
  const inner = shape.slice(channelAxis + 1).reduce((product, size) => product * size, 1);
  let squaredError = 0;
  for (const channel of channels) {
    for (let start = channel * inner; start < values.length; start += count * inner) {
      for (let at = start; at < start + inner; at++) {
        squaredError += ((coarse[at] as number) - (values[at] as number)) ** 2;
        values[at] = coarse[at] as number;
      }
    }
  }
  return { values, squaredError };
}

function weightsOf(
  tensors: readonly LevelTensor[],
  disturbed: readonly Disturbed[],
  moved: readonly number[],
  errors: Float64Array,
): ChannelImportance {
  const sum = (list: Iterable<number>): number => [...list].reduce((total, each) => total + each, 0);
  const least = errors.some((error) => error > 0) ? (LEAST_SHARE * sum(moved)) / sum(errors) : 0;
  const weights = new Map(tensors.map(({ name, channels }) => [name, new Float64Array(channels.length)]));
  for (const [at, { name, channels }] of disturbed.entries()) {
    const error = errors[at] as number;
    const weight = Math.max(least, error > 0 ? (moved[at] as number) / error : 0);
    for (const channel of channels) (weights.get(name) as Float64Array)[channel] = weight;
  }
  return weights;
}
