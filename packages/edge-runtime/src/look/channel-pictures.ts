// A tensor at a cut -> small grey pictures of its channels, as many and as large as a screen shows.
import { DTYPE_BITS, type Tensor } from '@kerf/protocol';
import { numbersOf } from '../samples/embedding.ts';

/** Channels that are shown, those that vary most; and pixels a side of each. */
const MOST_CHANNELS = 48;
const MOST_SIDE = 96;

export interface ChannelPicture {
  readonly channel: number;
  /** Least and largest value of the channel: black and white. */
  readonly low: number;
  readonly high: number;
  /** Grey, row by row. */
  readonly pixels: Uint8Array;
}

export interface ChannelPictures {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly shown: readonly ChannelPicture[];
}

/**
 * Means of the activations over each pixel, for [1, channel, height, width] and [channel, height, width]; other shapes are one channel,
 * a row for each of their last dimension.
 * @returns null for a tensor that holds no numbers of whole bytes.
 */
export function channelPictures(tensor: Tensor): ChannelPictures | null {
  if (DTYPE_BITS[tensor.dtype] < 8 || tensor.data.byteLength === 0) return null;
  const values = numbersOf(tensor);
  const { channels, height, width } = layoutOf(tensor.shape, values.length);
  const step = Math.max(1, Math.ceil(Math.max(width, height) / MOST_SIDE));
  const size = { height: Math.ceil(height / step), width: Math.ceil(width / step) };
  const plane = height * width;
  const order = Array.from({ length: channels }, (_, channel) => channel)
    .map((channel) => ({ channel, spread: spreadOf(values.subarray(channel * plane, (channel + 1) * plane)) }))
    .sort((a, b) => b.spread - a.spread || a.channel - b.channel)
    .slice(0, MOST_CHANNELS);
  const shown = order.map(({ channel }) => {
    const means = shrink(values.subarray(channel * plane, (channel + 1) * plane), { height, width, step, size });
    return { channel, ...grey(means) };
  });
  return { channels, ...size, shown };
}

function layoutOf(shape: readonly number[], length: number): { channels: number; height: number; width: number } {
  const dims = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  if (dims.length === 3) return { channels: dims[0] ?? 1, height: dims[1] ?? 1, width: dims[2] ?? 1 };
  const width = dims.at(-1) ?? 1;
  return { channels: 1, height: Math.max(1, Math.floor(length / Math.max(1, width))), width };
}

function spreadOf(plane: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const value of plane) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    squares += value * value;
  }
  return squares / plane.length - (sum / plane.length) ** 2;
}

interface Shrinking {
  readonly height: number;
  readonly width: number;
  readonly step: number;
  readonly size: { readonly height: number; readonly width: number };
}

function shrink(plane: Float32Array, { height, width, step, size }: Shrinking): Float32Array {
  const sums = new Float32Array(size.height * size.width);
  const counts = new Float32Array(sums.length);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / step) * size.width;
    for (let x = 0; x < width; x++) {
      const at = row + Math.floor(x / step);
      const value = plane[y * width + x] as number;
      if (!Number.isFinite(value)) continue;
      sums[at] = (sums[at] as number) + value;
      counts[at] = (counts[at] as number) + 1;
    }
  }
  return sums.map((sum, at) => sum / Math.max(1, counts[at] as number));
}

function grey(means: Float32Array): Pick<ChannelPicture, 'low' | 'high' | 'pixels'> {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of means) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high - low;
  const pixels = Uint8Array.from(means, (value) => (range === 0 ? 0 : Math.round((255 * (value - low)) / range)));
  return { low, high, pixels };
}
