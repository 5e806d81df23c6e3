// Float weights -> int8 with a scale per channel, symmetric, and in a range that no processor's kernel overflows on.
import { bytesOf, elementCount, float32Tensor, makeTensor, type Tensor, typedView } from '@kerf/protocol';

export interface Int8Weights {
  /** int8, in the shape of the weights. */
  readonly quantized: Tensor;
  /** float32: one per channel [channels], or a scalar []. */
  readonly scales: Tensor;
  /** Channels that got a wider step than their largest weight asks for, so that no pair of products overflows. */
  readonly narrowed: number;
}

export interface Int8WeightOptions {
  /** Axis of the channels; null for one scale. */
  readonly axis: number | null;
  /**
   * Keeps every pair of neighbouring weights in an order of summation at 128 or less: x86 processors without VNNI add
   * two products of uint8 and int8 in 16 bits and cut off what does not fit (255 * 128 does). @default false
   */
  readonly isPairSafe?: boolean;
  /** Scale that each channel has at least. @default none */
  readonly least?: Float32Array;
}

const MAX_INT8 = 127;
/** Rounded, two such weights sum to 128 at most, and 255 * 128 = 32,640 fits 16 bits. */
const MAX_PAIR = 127;

/** The tensor must be float32; a channel of zeros gets scale 1. */
export function int8Weights(weights: Tensor, { axis, isPairSafe = false, least }: Int8WeightOptions): Int8Weights {
  const values = typedView(weights as Tensor & { dtype: 'float32' });
  const { shape } = weights;
  const layout = channelLayout(shape, axis);
  const largest = largestOf(values, layout);
  const pairs = isPairSafe ? largestPairs(values, layout, shape) : new Float32Array(layout.channels);
  let narrowed = 0;
  const scales = largest.map((value, channel) => {
    const scale = value / MAX_INT8;
    const pair = (pairs[channel] as number) / MAX_PAIR;
    if (pair > scale) narrowed++;
    return Math.max(scale, pair, least?.[channel] ?? 0) || 1;
  });
  return {
    quantized: makeTensor('int8', shape, bytesOf(levelsOf(values, layout, scales))),
    scales: float32Tensor(axis === null ? [] : [layout.channels], scales),
    narrowed,
  };
}

/** Element = (outer * channels + channel) * inner + rest. */
interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

function channelLayout(shape: readonly number[], axis: number | null): ChannelLayout {
  if (axis === null) return { outer: 1, channels: 1, inner: elementCount(shape) };
  return {
    outer: elementCount(shape.slice(0, axis)),
    channels: shape[axis] ?? 1,
    inner: elementCount(shape.slice(axis + 1)),
  };
}

function levelsOf(values: Float32Array, { outer, channels, inner }: ChannelLayout, scales: Float32Array): Int8Array {
  const levels = new Int8Array(values.length);
  for (let run = 0; run < outer * channels; run++) {
    const scale = scales[run % channels] as number;
    for (let at = run * inner; at < (run + 1) * inner; at++) {
      const level = Math.round((values[at] as number) / scale);
      levels[at] = Math.max(-MAX_INT8, Math.min(MAX_INT8, level));
    }
  }
  return levels;
}

/** Largest magnitude of each channel. */
function largestOf(values: Float32Array, { outer, channels, inner }: ChannelLayout): Float32Array {
  const found = new Float32Array(channels);
  for (let run = 0; run < outer * channels; run++) {
    let largest = found[run % channels] as number;
    for (let at = run * inner; at < (run + 1) * inner; at++) {
      const size = Math.abs(values[at] as number);
      if (size > largest) largest = size;
    }
    found[run % channels] = largest;
  }
  return found;
}

/**
 * Of each channel, the largest sum of two neighbours of one sign. Neighbours in the order of the file, and for a
 * convolution's kernel [out, in, height, width] also with channels last: ONNX Runtime sums up in the one or the other.
 */
function largestPairs(values: Float32Array, layout: ChannelLayout, shape: readonly number[]): Float32Array {
  const { outer, channels, inner } = layout;
  const found = new Float32Array(channels);
  const visit = (channel: number, one: number, other: number): void => {
    if (one * other > 0) found[channel] = Math.max(found[channel] as number, Math.abs(one + other));
  };
  // Along the axis before the channels where those come last, as in a matrix [in, out]; along the rest else.
  const isLast = inner === 1;
  const length = isLast ? outer : inner;
  const stride = isLast ? channels : 1;
  for (let run = 0; run < (isLast ? channels : outer * channels); run++) {
    const start = isLast ? run : run * inner;
    for (let at = 1; at < length; at++) {
      visit(run % channels, values[start + (at - 1) * stride] as number, values[start + at * stride] as number);
    }
  }
  const inputs = shape[1] ?? 1;
  const taps = inner / inputs;
  if (outer !== 1 || shape.length < 3 || taps === 1) return found;
  for (let channel = 0; channel < channels; channel++) {
    const place = (at: number): number => channel * inner + (at % inputs) * taps + Math.floor(at / inputs);
    for (let at = 1; at < inner; at++) visit(channel, values[place(at - 1)] as number, values[place(at)] as number);
  }
  return found;
}
