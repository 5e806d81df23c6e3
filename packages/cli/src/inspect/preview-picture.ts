// A picture of the screens, made smaller for readers on a thin link; once for all of them.
import type { PictureView, PreviewSize } from '@kerf/bridge';
import { decodePicture, encodeJpeg, resizePicture } from '../picture.ts';

const made = new WeakMap<PictureView, Map<number, Promise<PictureView>>>();

/** @throws {KerfError} IMAGE_INVALID. */
export function previewPicture(picture: PictureView, size: PreviewSize): Promise<PictureView> {
  const sizes = made.get(picture) ?? new Map<number, Promise<PictureView>>();
  made.set(picture, sizes);
  const known = sizes.get(size.longerSide) ?? smaller(picture, size);
  sizes.set(size.longerSide, known);
  return known;
}

async function smaller(picture: PictureView, { longerSide, quality }: PreviewSize): Promise<PictureView> {
  const image = await decodePicture(picture.bytes);
  const scale = Math.min(1, longerSide / Math.max(image.width, image.height));
  const side = (pixels: number): number => Math.max(1, Math.round(pixels * scale));
  const shown = scale === 1 ? image : await resizePicture(image, side(image.width), side(image.height));
  const bytes = await encodeJpeg(shown, quality);
  // Boxes and masks are placed by the size of the picture that was taken, which stays.
  if (bytes.byteLength >= picture.bytes.byteLength) return picture;
  return { ...picture, format: 'jpeg', bytes, reducedTo: Math.min(longerSide, Math.max(image.width, image.height)) };
}
