// Picture files <-> RGB pixels: read, resize, and code as PNG, JPEG or WebP.
import { readFile } from 'node:fs/promises';
import { checkWholeImage, declaredImageSize, type ImageSize, KerfError, type RgbImage } from '@kerf/protocol';
import type { Transformer } from '@napi-rs/image';
import { ppmFile } from '../../capture/rgb-pixels.ts';
import { imageLibrary } from './image-library.ts';
import { toRgb } from './to-rgb.ts';

/** 8192 x 8192: more than any line camera here, and 192 MiB as RGB. Checked on the header, before pixels are decoded. */
const MAX_PIXELS = 2 ** 26;
const READABLE = new Set(['png', 'jpeg', 'webp']);

/**
 * Reads a PNG, JPEG or WebP file.
 * @throws {KerfError} FILE_NOT_FOUND, IMAGE_INVALID.
 */
export async function readPicture(path: string): Promise<RgbImage> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `cannot read the picture ${path}; check the path and its permissions`, {
      cause,
    });
  }
  return decodePicture(bytes);
}

/**
 * Decodes a PNG, JPEG or WebP picture. EXIF orientation is applied, 16-bit samples keep their high byte, grey becomes
 * three equal channels, and what is transparent shows black.
 * @throws {KerfError} IMAGE_INVALID when the bytes are none of the three, are broken or cut off, or hold over 2^26 pixels.
 */
export async function decodePicture(bytes: Uint8Array): Promise<RgbImage> {
  try {
    const declared = declaredImageSize(bytes);
    if (declared !== null) checkPixels(declared);
    checkWholeImage(bytes);
    const transformer = new (imageLibrary().Transformer)(bytes);
    const { format, width, height, orientation, colorType } = await transformer.metadata(true);
    if (!READABLE.has(format)) throw new KerfError('IMAGE_INVALID', `a ${format} picture; use PNG, JPEG or WebP`);
    checkPixels({ width, height });
    // Cameras write numbers that EXIF does not know; like every viewer, we leave such a picture as it lies.
    const turn = orientation !== undefined && orientation >= 2 && orientation <= 8;
    if (turn) transformer.rotate();
    const raw = await transformer.rawPixels();
    const turned = turn && orientation >= 5;
    const data = await toRgb(raw, colorType, width * height);
    return turned ? { width: height, height: width, data } : { width, height, data };
  } catch (cause) {
    throw KerfError.from(cause, 'IMAGE_INVALID', 'the picture cannot be decoded; it must be a whole PNG, JPEG or WebP');
  }
}

/** The library decodes all pixels to say the size, and allocates by what the header says. */
function checkPixels({ width, height }: ImageSize): void {
  if (width * height <= MAX_PIXELS) return;
  throw new KerfError('IMAGE_INVALID', `the picture is ${width}x${height}; the limit is ${MAX_PIXELS} pixels`);
}

/**
 * Stretches an image to `width` x `height`. Each output pixel is the triangle-weighted mean of the source pixels within
 * one output pixel of its centre (bilinear when enlarging; no aliasing when shrinking).
 * @throws {KerfError} INVALID_ARGUMENT when a side is not a positive integer.
 */
export async function resizePicture(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  checkSize(width, height);
  if (image.width === width && image.height === height) return image;
  const { ResizeFilterType, ResizeFit } = imageLibrary();
  const resized = opened(image).resize({ width, height, filter: ResizeFilterType.Triangle, fit: ResizeFit.Fill });
  return { width, height, data: await resized.rawPixels() };
}

/** Lossless. Fast deflate with a filter chosen per row: on photographs 2 % larger than the default level, 15 times faster. */
export function encodePng(image: RgbImage): Promise<Uint8Array> {
  const { CompressionType, FilterType } = imageLibrary();
  return opened(image).png({ compressionType: CompressionType.Fast, filterType: FilterType.Adaptive });
}

/** Lossy, baseline, chroma at full resolution (4:4:4). `quality` is 1 to 100. */
export function encodeJpeg(image: RgbImage, quality = 90): Promise<Uint8Array> {
  return opened(image).jpeg(quality);
}

/** Lossy, as libwebp codes at its default effort. `quality` is 0 to 100. */
export function encodeWebp(image: RgbImage, quality = 90): Promise<Uint8Array> {
  return opened(image).webp(quality);
}

/** Lossless, as libwebp codes at its default effort: on a photograph a quarter smaller than PNG and 40 to 80 times slower. */
export function encodeLosslessWebp(image: RgbImage): Promise<Uint8Array> {
  return opened(image).webpLossless();
}

/** The library takes RGBA pixels or a file; a PPM header makes RGB pixels a file without touching them. */
function opened(image: RgbImage): Transformer {
  const { width, height, data } = image;
  checkSize(width, height);
  if (data.byteLength !== width * height * 3) {
    throw new KerfError(
      'IMAGE_INVALID',
      `${width}x${height} RGB needs ${width * height * 3} bytes, got ${data.byteLength}`,
    );
  }
  return new (imageLibrary().Transformer)(ppmFile(image));
}

function checkSize(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `a picture of ${width}x${height} is impossible; sides are positive integers`,
    );
  }
  if (width * height > MAX_PIXELS) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `a picture of ${width}x${height} exceeds the limit of ${MAX_PIXELS} pixels`,
    );
  }
}
