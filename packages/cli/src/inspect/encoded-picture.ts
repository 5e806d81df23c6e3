// A part's picture as the station had it -> the encoded form that screens show, at the size of a screen.
import type { PictureView } from '@kerf/bridge';
import type { DeliveredPicture } from '@kerf/edge-runtime';
import { encodeJpeg, resizePicture } from '../picture.ts';

/** Longer sides are made smaller: the screen shows no more, and the record has the hash of the original. */
const MAX_SIDE = 1_280;
const JPEG_QUALITY = 85;

/** @throws {KerfError} IMAGE_INVALID. */
export async function encodedPicture(delivered: DeliveredPicture): Promise<PictureView> {
  const image = await delivered.pixels();
  const { original } = delivered;
  const { width, height } = image;
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  if (scale === 1 && original.kind === 'encoded') {
    return { format: original.format, bytes: original.bytes, width, height };
  }
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const shown = scale === 1 ? image : await resizePicture(image, size.width, size.height);
  // Boxes and masks are placed by the size of the picture that was taken.
  return { format: 'jpeg', bytes: await encodeJpeg(shown, JPEG_QUALITY), width, height };
}
