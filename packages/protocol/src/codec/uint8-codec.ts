// float32 values <-> 256 even steps between the least and the largest, of the tensor or of each slice along an axis.
import { KerfError } from '../errors.ts';
import { ByteSource, damagedPayload } from './byte-sink.ts';
import { decodeLossless, encodeLossless, type PlaneLayout, planeLayout } from './lossless.ts';

/** First byte of the payload where the bounds are those of the whole tensor; else the axis. */
const WHOLE_TENSOR = 255;
/** Least value and step of one channel, float32 each. */
const BOUND_BYTES = 8;

/** How a tensor lies in memory around its channels: `[outer, channels, inner]`. */
interface ChannelLayout {
  readonly channels: number;
  readonly inner: number;
}

/**
 * The payload: axis, bounds of every channel, then the steps, coded without loss.
 * @param values finite
 * @throws {KerfError} INVALID_ARGUMENT when the tensor has no such axis.
 */
export function encodeUint8(values: Float32Array, shape: readonly number[], channelAxis: number | null): Uint8Array {
  if (channelAxis !== null && !(channelAxis >= 0 && channelAxis < shape.length)) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `a tensor of shape [${shape.join(', ')}] has no axis ${channelAxis} for its channels; choose another codec`,
    );
  }
  const axis = channelAxis ?? WHOLE_TENSOR;
  const layout = channelLayout(shape, axis);
  const bounds = boundsOf(values, layout);
  const steps = encodeLossless(quantise(values, layout, bounds), stepsLayout(shape));
  const head = 1 + layout.channels * BOUND_BYTES;
  const bytes = new Uint8Array(head + steps.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[0] = axis;
  for (let index = 0; index < bounds.length; index++) view.setFloat32(1 + index * 4, bounds[index] as number, true);
  bytes.set(steps, head);
  return bytes;
}

/**
 * @param count elements of the shape, which the caller has bounded
 * @throws {KerfError} MESSAGE_MALFORMED.
 */
export function decodeUint8(bytes: Uint8Array, shape: readonly number[], count: number): Float32Array {
  const source = new ByteSource(bytes);
  const axis = source.byte();
  if (axis !== WHOLE_TENSOR && axis >= shape.length) throw damagedPayload(`it has no axis ${axis}`);
  const layout = channelLayout(shape, axis);
  const head = source.take(layout.channels * BOUND_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const bounds = new Float32Array(layout.channels * 2);
  for (let index = 0; index < bounds.length; index++) bounds[index] = view.getFloat32(index * 4, true);
  const steps = decodeLossless(bytes.subarray(source.at), count, stepsLayout(shape));
  return reconstruct(steps, layout, bounds);
}

function channelLayout(shape: readonly number[], axis: number): ChannelLayout {
  if (axis === WHOLE_TENSOR) return { channels: 1, inner: shape.reduce((product, size) => product * size, 1) };
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return { channels: shape[axis] as number, inner };
}

function stepsLayout(shape: readonly number[]): PlaneLayout {
  return planeLayout('uint8', shape);
}

/** Least value and step of each channel, as the decoder will read them. */
function boundsOf(values: Float32Array, { channels, inner }: ChannelLayout): Float32Array {
  const bounds = new Float32Array(channels * 2);
  const largest = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let channel = 0; channel < channels; channel++) bounds[channel * 2] = Number.POSITIVE_INFINITY;
  for (let at = 0, channel = 0; at < values.length; at += inner, channel = channel + 1 === channels ? 0 : channel + 1) {
    let low = bounds[channel * 2] as number;
    let high = largest[channel] as number;
    for (let index = at; index < at + inner; index++) {
      const value = values[index] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    bounds[channel * 2] = low;
    largest[channel] = high;
  }
  for (let channel = 0; channel < channels; channel++) {
    const low = bounds[channel * 2] as number;
    bounds[channel * 2 + 1] = ((largest[channel] as number) - low) / 255;
  }
  return bounds;
}

function quantise(values: Float32Array, { channels, inner }: ChannelLayout, bounds: Float32Array): Uint8Array {
  const steps = new Uint8Array(values.length);
  for (let at = 0, channel = 0; at < values.length; at += inner, channel = channel + 1 === channels ? 0 : channel + 1) {
    const low = bounds[channel * 2] as number;
    const step = bounds[channel * 2 + 1] as number;
    // A range so small that its step is 0 in float32 is one value.
    const perStep = step > 0 ? 1 / step : 0;
    for (let index = at; index < at + inner; index++) {
      const place = (((values[index] as number) - low) * perStep + 0.5) | 0;
      steps[index] = place > 255 ? 255 : place;
    }
  }
  return steps;
}

function reconstruct(steps: Uint8Array, { channels, inner }: ChannelLayout, bounds: Float32Array): Float32Array {
  const values = new Float32Array(steps.length);
  for (let at = 0, channel = 0; at < steps.length; at += inner, channel = channel + 1 === channels ? 0 : channel + 1) {
    const low = bounds[channel * 2] as number;
    const step = bounds[channel * 2 + 1] as number;
    for (let index = at; index < at + inner; index++) values[index] = low + (steps[index] as number) * step;
  }
  return values;
}
