// Pixels of an RGB image -> a model's input tensor, by one rule that edge and cloud share bit for bit.
import { KerfError } from './errors.ts';
import { bytesOf, elementCount, makeTensor, type Tensor } from './tensor.ts';

/**
 * How 8-bit pixels become a tensor: `value = fround(fround(pixel * scale[c]) + offset[c])`, or the pixel itself for
 * uint8. Channels are in RGB order in the image and in the order `channels` names in the tensor.
 */
export interface ImagePixels {
  /** `nchw`: [1, C, H, W]; `nhwc`: [1, H, W, C]. */
  readonly layout: 'nchw' | 'nhwc';
  /** Channel order of the tensor; `gray` has one channel, ITU-R BT.601 luma rounded to 8 bits. */
  readonly channels: 'rgb' | 'bgr' | 'gray';
  /** Per channel of the tensor; `(p / 255 - mean) / std` is scale 1 / (255 * std), offset -mean / std. */
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** 8-bit RGB pixels, row-major, 3 bytes a pixel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Shape of the tensor for an image of the given size. */
export function imageTensorShape(pixels: ImagePixels, width: number, height: number): number[] {
  const channels = pixels.channels === 'gray' ? 1 : 3;
  return pixels.layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
}

/** Width and height that a tensor of `shape` asks of its image. @throws {KerfError} TENSOR_MISMATCH. */
export function imageSizeOf(pixels: ImagePixels, shape: readonly number[]): { width: number; height: number } {
  const [height = 0, width = 0] = pixels.layout === 'nchw' ? shape.slice(2) : shape.slice(1);
  const expected = imageTensorShape(pixels, width, height);
  if (shape.length !== 4 || expected.some((size, axis) => size !== shape[axis]) || elementCount(shape) === 0) {
    throw new KerfError(
      'TENSOR_MISMATCH',
      `an image with ${pixels.channels} ${pixels.layout} cannot fill shape [${shape.join(', ')}]`,
    );
  }
  return { width, height };
}

/**
 * The tensor of an image.
 * @returns float32 or uint8 of {@link imageTensorShape}.
 * @throws {KerfError} IMAGE_INVALID when the pixels do not fit the size, INVALID_ARGUMENT when scale or offset lack a channel.
 */
export function imageToTensor(image: RgbImage, pixels: ImagePixels, dtype: 'float32' | 'uint8'): Tensor {
  const { width, height, data } = image;
  if (data.byteLength !== width * height * 3) {
    throw new KerfError(
      'IMAGE_INVALID',
      `${width}x${height} RGB needs ${width * height * 3} bytes, got ${data.byteLength}`,
    );
  }
  const count = pixels.channels === 'gray' ? 1 : 3;
  if (dtype === 'float32' && (pixels.scale.length !== count || pixels.offset.length !== count)) {
    throw new KerfError('INVALID_ARGUMENT', `scale and offset need ${count} values each`);
  }
  const area = width * height;
  const values = dtype === 'float32' ? new Float32Array(area * count) : new Uint8Array(area * count);
  const pixelStride = pixels.layout === 'nchw' ? 1 : count;
  const channelStride = pixels.layout === 'nchw' ? area : 1;
  for (let channel = 0; channel < count; channel++) {
    const table = valueTable(pixels, channel, dtype);
    const source = pixels.channels === 'bgr' ? 2 - channel : channel;
    let target = channel * channelStride;
    for (let at = 0; at < data.length; at += 3, target += pixelStride) {
      const pixel = pixels.channels === 'gray' ? luma(data, at) : (data[at + source] as number);
      values[target] = table[pixel] as number;
    }
  }
  return makeTensor(dtype, imageTensorShape(pixels, width, height), bytesOf(values));
}

/** 256 values, since a pixel has 256: one rounding rule, and faster than arithmetic per pixel. */
function valueTable(pixels: ImagePixels, channel: number, dtype: 'float32' | 'uint8'): Float32Array | Uint8Array {
  if (dtype === 'uint8') return Uint8Array.from({ length: 256 }, (_, pixel) => pixel);
  const scale = Math.fround(pixels.scale[channel] ?? 1);
  const offset = Math.fround(pixels.offset[channel] ?? 0);
  return Float32Array.from({ length: 256 }, (_, pixel) => Math.fround(Math.fround(pixel * scale) + offset));
}

function luma(data: Uint8Array, at: number): number {
  const red = data[at] as number;
  const green = data[at + 1] as number;
  const blue = data[at + 2] as number;
  // BT.601 weights in 16-bit fixed point: the same integer on every machine.
  return (19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16;
}
