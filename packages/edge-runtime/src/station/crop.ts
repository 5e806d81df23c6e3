// A rectangle out of an image.
import { KerfError, type RgbImage } from '@kerf/protocol';
import { rgbPixels } from '../capture/rgb-pixels.ts';
import type { PictureGeometry } from './judge/judgement.ts';

/** @throws {KerfError} IMAGE_INVALID where the rectangle reaches outside of the picture. */
export function crop(image: RgbImage, { x, y, width, height }: PictureGeometry['shown']): RgbImage {
  if (x === 0 && y === 0 && width === image.width && height === image.height) return image;
  if (x + width > image.width || y + height > image.height) {
    const message = `picture.crop ${width}x${height} at ${x},${y} reaches outside of a picture of ${image.width}x${image.height}`;
    throw new KerfError('IMAGE_INVALID', message);
  }
  const data = rgbPixels(width * height);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, data };
}
