// Tensors of samples -> the values of each channel as planes, in bins, so that a quantiser can be tried in one pass.
import { elementCount, type Tensor, typedView } from '@kerf/protocol';

/** One channel of one item of a batch, as the entropy coder goes over it. */
export interface PlaneSize {
  readonly rows: number;
  readonly columns: number;
}

/** All values of one channel in all samples. */
export interface ChannelBins {
  /** Bin of each value; plane after plane, rows after rows. */
  readonly bins: Uint16Array;
  readonly planes: readonly PlaneSize[];
  /** Of the values in each bin. */
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  /** Lower edge of bin b: `low + b * width`. The first and last bin also hold what lies beyond. */
  readonly low: number;
  readonly width: number;
}

export const BINS = 2048;
/** Values that lie this many standard deviations from the mean are in the outermost bins ... */
const SPREAD = 12;
/** ... of the values that are left when such values are left out, so many times over: one giant hides the next. */
const LEAVING_OUT = 3;

/**
 * @param tensors float32 of one rank, with the same number of channels on `axis`, finite; axis 0 is the batch unless it
 * holds the channels
 */
export function channelBins(tensors: readonly Tensor[], axis: number): ChannelBins[] {
  const channels = tensors[0]?.shape[axis] ?? 0;
  const planes = tensors.flatMap(({ shape }) => planeSizes(shape, axis));
  const length = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) / Math.max(1, channels);
  const values = new Float32Array(length);
  return Array.from({ length: channels }, (_, channel) => {
    let at = 0;
    for (const tensor of tensors) at = gather(tensor, axis, channel, values, at);
    return binned(values, planes);
  });
}

function planeSizes(shape: readonly number[], axis: number): PlaneSize[] {
  const { batch, between, inner } = layoutOf(shape, axis);
  const last = axis < shape.length - 1 ? shape.length - 1 : shape.length - 2;
  const columns = last > 0 ? (shape[last] as number) : 1;
  const rows = columns === 0 ? 0 : (between * inner) / columns;
  return Array.from({ length: batch }, () => ({ rows, columns }));
}

function layoutOf(shape: readonly number[], axis: number): { batch: number; between: number; inner: number } {
  const product = (from: number, to: number): number => shape.slice(from, to).reduce((all, size) => all * size, 1);
  return {
    batch: axis > 0 ? (shape[0] as number) : 1,
    between: axis > 0 ? product(1, axis) : 1,
    inner: product(axis + 1, shape.length),
  };
}

function gather(tensor: Tensor, axis: number, channel: number, values: Float32Array, to: number): number {
  const view = typedView(tensor as Tensor & { dtype: 'float32' });
  const channels = tensor.shape[axis] as number;
  const { batch, between, inner } = layoutOf(tensor.shape, axis);
  let at = to;
  for (let outer = 0; outer < batch * between; outer++) {
    const from = (outer * channels + channel) * inner;
    for (let index = from; index < from + inner; index++) values[at++] = view[index] as number;
  }
  return at;
}

function binned(values: Float32Array, planes: readonly PlaneSize[]): ChannelBins {
  const [low, high] = rangeOf(values);
  const width = high > low ? (high - low) / BINS : 1;
  const bins = new Uint16Array(values.length);
  const counts = new Float64Array(BINS);
  const sums = new Float64Array(BINS);
  const squares = new Float64Array(BINS);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)));
    bins[at] = bin;
    counts[bin] = (counts[bin] as number) + 1;
    sums[bin] = (sums[bin] as number) + value;
    squares[bin] = (squares[bin] as number) + value * value;
  }
  return { bins, planes, counts, sums, squares, low, width };
}

/** Where the bins lie. */
function rangeOf(values: Float32Array): [low: number, high: number] {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let round = 0; round < LEAVING_OUT; round++) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    let count = 0;
    let sum = 0;
    let square = 0;
    for (const value of values) {
      if (value < low || value > high) continue;
      if (value < least) least = value;
      if (value > most) most = value;
      count++;
      sum += value;
      square += value * value;
    }
    const mean = sum / count;
    const reach = SPREAD * Math.sqrt(Math.max(0, square / count - mean * mean));
    low = Math.max(least, mean - reach);
    high = Math.min(most, mean + reach);
    if (low === least && high === most) break;
  }
  return [low, high];
}

/** Sum of squared distances of a channel's values to their mean. */
export function totalVariation({ counts, sums, squares }: ChannelBins): number {
  const total = (list: Float64Array): number => list.reduce((sum, each) => sum + each, 0);
  return Math.max(0, total(squares) - total(sums) ** 2 / total(counts));
}
