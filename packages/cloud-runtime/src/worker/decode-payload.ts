// One payload of a frame -> the tensor that the model takes: raw bytes as they are, images and codes through decoders.

import {
  byteLengthOf,
  checkWholeImage,
  decodeActivation,
  imageSizeInHeader,
  imageSizeOf,
  imageToTensor,
  KerfError,
  type LevelTable,
  makeTensor,
  type PayloadCodec,
  type RgbImage,
  type Tensor,
} from '@kerf/protocol';
import { Transformer } from '@napi-rs/image';
import type { TensorHeader } from './jobs.ts';

/** What payloads may decode to. */
export interface DecodingRules {
  readonly maxDecodedImageBytes: number;
  readonly maxDecodedBytes: number;
  /** By id. */
  readonly tables: ReadonlyMap<string, LevelTable>;
}

/**
 * The tensor of a payload.
 * @throws {KerfError} IMAGE_INVALID, TENSOR_MISMATCH, CODEC_UNKNOWN, MESSAGE_MALFORMED, MESSAGE_TOO_LARGE when it would
 * decode to more than the limit.
 */
export async function decodePayload(input: TensorHeader, bytes: Uint8Array, rules: DecodingRules): Promise<Tensor> {
  const { codec, dtype, shape } = input;
  if (codec.kind === 'raw') return makeTensor(dtype, shape, bytes);
  if (codec.kind !== 'image') {
    return decodeActivation({ codec, dtype, shape, bytes }, rules.tables, rules.maxDecodedBytes);
  }
  if (dtype !== 'float32' && dtype !== 'uint8') {
    throw new KerfError('TENSOR_MISMATCH', `tensor '${input.name}': an image becomes float32 or uint8, not ${dtype}`);
  }
  const wanted = imageSizeOf(codec.pixels, shape);
  const maxDecodedBytes = rules.maxDecodedImageBytes;
  if (byteLengthOf(dtype, shape) > maxDecodedBytes || wanted.width * wanted.height * 4 > maxDecodedBytes) {
    throw new KerfError(
      'MESSAGE_TOO_LARGE',
      `tensor '${input.name}': the image decodes to more than ${maxDecodedBytes} bytes`,
    );
  }
  const declared = imageSizeInHeader(bytes, codec.format);
  if (declared.width !== wanted.width || declared.height !== wanted.height) {
    throw new KerfError(
      'IMAGE_INVALID',
      `tensor '${input.name}' needs ${wanted.width}x${wanted.height} pixels, the image has ${declared.width}x${declared.height}`,
    );
  }
  checkWholeImage(bytes);
  const image = await decodeImage(bytes, codec, wanted);
  return imageToTensor(image, codec.pixels, dtype);
}

async function decodeImage(
  bytes: Uint8Array,
  codec: PayloadCodec & { kind: 'image' },
  { width, height }: { width: number; height: number },
): Promise<RgbImage> {
  let pixels: Uint8Array;
  try {
    pixels = await new Transformer(bytes).rawPixels();
  } catch (cause) {
    throw new KerfError('IMAGE_INVALID', `the ${codec.format} image is damaged`, { cause });
  }
  return { width, height, data: toRgb(pixels, width * height) };
}

/** The decoder gives 8-bit grey, grey with alpha, RGB or RGBA, whichever the file holds; alpha is dropped. */
function toRgb(pixels: Uint8Array, area: number): Uint8Array {
  const channels = pixels.byteLength / area;
  if (channels === 3) return pixels;
  if (channels !== 1 && channels !== 2 && channels !== 4) {
    throw new KerfError('IMAGE_INVALID', 'the image has more than 8 bits a channel; send 8-bit images');
  }
  const isColour = channels === 4;
  const rgb = new Uint8Array(area * 3);
  for (let at = 0, from = 0; at < rgb.length; at += 3, from += channels) {
    const first = pixels[from] as number;
    rgb[at] = first;
    rgb[at + 1] = isColour ? (pixels[from + 1] as number) : first;
    rgb[at + 2] = isColour ? (pixels[from + 2] as number) : first;
  }
  return rgb;
}
