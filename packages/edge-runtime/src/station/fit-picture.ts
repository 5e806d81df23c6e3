// A picture of one shape into an input of another: stretched, or with bars beside it.
import { KerfError, type RgbImage } from '@kerf/protocol';
import { rgbPixels } from '../capture/rgb-pixels.ts';

/** In whole pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const PICTURE_FITS = ['stretch', 'pad', 'pad-end'] as const;
/**
 * `pad` keeps the proportions, with bars on both sides, as Ultralytics' models are trained; `pad-end` with bars to the
 * right or below, as YOLOX.
 */
export type PictureFit = (typeof PICTURE_FITS)[number];

/** Grey of the bars, 0 to 255, where nothing else is said. */
export const PADDING = 114;

export interface InputFit {
  readonly width: number;
  readonly height: number;
  readonly fit: PictureFit;
  /** 0 to 255, of all three colours. */
  readonly padding: number;
}

/** The part of the input that a picture fills. */
export function areaOf(picture: Pick<RgbImage, 'width' | 'height'>, { width, height, fit }: InputFit): Rectangle {
  if (fit === 'stretch') return { x: 0, y: 0, width, height };
  const scale = Math.min(width / picture.width, height / picture.height);
  const filled = {
    width: Math.min(width, Math.max(1, Math.round(picture.width * scale))),
    height: Math.min(height, Math.max(1, Math.round(picture.height * scale))),
  };
  if (fit === 'pad-end') return { x: 0, y: 0, ...filled };
  return { x: Math.floor((width - filled.width) / 2), y: Math.floor((height - filled.height) / 2), ...filled };
}

export type Resize = (image: RgbImage, width: number, height: number) => Promise<RgbImage>;

/** The picture at the size of the input. @throws what `resize` throws. */
export async function fitPicture(image: RgbImage, input: InputFit, resize: Resize): Promise<RgbImage> {
  const area = areaOf(image, input);
  const resized = await resize(image, area.width, area.height);
  if (area.width === input.width && area.height === input.height) return resized;
  const data = rgbPixels(input.width * input.height).fill(input.padding);
  copyRows(resized, { ...area, x: 0, y: 0 }, { width: input.width, data }, area);
  return { width: input.width, height: input.height, data };
}

/** A rectangle out of an image. @throws {KerfError} IMAGE_INVALID where it reaches outside of the picture. */
export function crop(image: RgbImage, part: Rectangle): RgbImage {
  const { x, y, width, height } = part;
  if (x === 0 && y === 0 && width === image.width && height === image.height) return image;
  if (x + width > image.width || y + height > image.height) {
    const message = `picture.crop ${width}x${height} at ${x},${y} reaches outside of a picture of ${image.width}x${image.height}`;
    throw new KerfError('IMAGE_INVALID', message);
  }
  const data = rgbPixels(width * height);
  copyRows(image, part, { width, data }, { x: 0, y: 0 });
  return { width, height, data };
}

function copyRows(
  from: Pick<RgbImage, 'width' | 'data'>,
  part: Rectangle,
  to: { readonly width: number; readonly data: Uint8Array },
  place: { readonly x: number; readonly y: number },
): void {
  for (let row = 0; row < part.height; row++) {
    const start = ((part.y + row) * from.width + part.x) * 3;
    to.data.set(from.data.subarray(start, start + part.width * 3), ((place.y + row) * to.width + place.x) * 3);
  }
}
