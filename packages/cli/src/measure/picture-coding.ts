// RGB pixels -> an image file in the format and quality that a placement names.
import type { EncodedImage } from '@kerf/edge-runtime';
import { imageTensorShape, type RgbImage } from '@kerf/protocol';
import { encodeJpeg, encodeLosslessWebp, encodePng, encodeWebp } from '../picture.ts';
import type { FrameSource, PictureCoding } from './placements.ts';

export function encodePicture(image: RgbImage, coding: PictureCoding): Promise<Uint8Array> {
  if (coding.format === 'png') return encodePng(image);
  if (coding.format === 'jpeg') return encodeJpeg(image, coding.quality);
  return coding.quality === null ? encodeLosslessWebp(image) : encodeWebp(image, coding.quality);
}

/** The input that crosses as an image. */
export async function encodeInput(
  { image, pixels, dtype }: NonNullable<FrameSource['picture']>,
  coding: PictureCoding,
): Promise<EncodedImage> {
  return {
    format: coding.format,
    bytes: await encodePicture(image, coding),
    pixels,
    dtype,
    shape: imageTensorShape(pixels, image.width, image.height),
  };
}

/** `PNG`, `JPEG 90`, `WebP 80`, `WebP lossless`. */
export function describeCoding(coding: PictureCoding): string {
  if (coding.format === 'png') return 'PNG';
  if (coding.format === 'jpeg') return `JPEG ${coding.quality}`;
  return coding.quality === null ? 'WebP lossless' : `WebP ${coding.quality}`;
}

export function isLossless(coding: PictureCoding): boolean {
  return coding.format === 'png' || (coding.format === 'webp' && coding.quality === null);
}
