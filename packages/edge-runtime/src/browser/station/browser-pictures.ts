// Pictures in a browser: decoded, resized and encoded by its own code, through a canvas that no page shows.
import { checkWholeImage, KerfError, type RgbImage } from '@kerf/protocol';
import type { PictureCodec } from '../../station/picture-codec.ts';
import { picturesWith } from '../../station/pictures-with.ts';
import { sha256Hex } from '../../station/sha256.ts';

/** 8192 x 8192, as in Node. */
const MAX_PIXELS = 2 ** 26;

const codec: PictureCodec = {
  async decode(picture) {
    if (picture.kind === 'pixels') return picture.image;
    checkWholeImage(picture.bytes);
    const type = `image/${picture.format}`;
    let bitmap: ImageBitmap;
    try {
      const blob = new Blob([picture.bytes as Uint8Array<ArrayBuffer>], { type });
      bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
    } catch (cause) {
      const message = 'the picture cannot be decoded; it must be a whole PNG, JPEG or WebP';
      throw new KerfError('IMAGE_INVALID', message, { cause });
    }
    const { width, height } = bitmap;
    try {
      if (width * height > MAX_PIXELS) {
        throw new KerfError('IMAGE_INVALID', `the picture is ${width}x${height}; the limit is ${MAX_PIXELS} pixels`);
      }
      return pixelsOf(bitmap, width, height);
    } finally {
      bitmap.close();
    }
  },

  async resize(image, width, height) {
    if (image.width === width && image.height === height) return image;
    const bitmap = await createImageBitmap(canvasOf(image), {
      resizeWidth: width,
      resizeHeight: height,
      resizeQuality: 'high',
    });
    try {
      return pixelsOf(bitmap, width, height);
    } finally {
      bitmap.close();
    }
  },

  async encode(image, { format, quality }) {
    const blob = await canvasOf(image).convertToBlob({ type: `image/${format}`, quality: quality / 100 });
    if (blob.type !== `image/${format}`) {
      throw new KerfError('BACKEND_UNAVAILABLE', `this browser cannot encode ${format}; use png`);
    }
    return new Uint8Array(await blob.arrayBuffer());
  },

  sha256: sha256Hex,
};

/**
 * Work on pictures by the browser's own codecs. Pixels are those of an sRGB canvas: colour profiles in files are not
 * applied, and resizing is the browser's, so that scores may differ in the last digits from those that Node gives for the
 * same file.
 */
export const browserPictures = picturesWith(codec);

/** What is transparent shows black, as in Node. */
function pixelsOf(bitmap: ImageBitmap, width: number, height: number): RgbImage {
  const context = contextOf(new OffscreenCanvas(width, height));
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    data[to] = rgba[from] as number;
    data[to + 1] = rgba[from + 1] as number;
    data[to + 2] = rgba[from + 2] as number;
  }
  return { width, height, data };
}

function canvasOf({ width, height, data }: RgbImage): OffscreenCanvas {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from] as number;
    rgba[to + 1] = data[from + 1] as number;
    rgba[to + 2] = data[from + 2] as number;
  }
  const canvas = new OffscreenCanvas(width, height);
  contextOf(canvas).putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null)
    throw new KerfError('BACKEND_UNAVAILABLE', 'the browser gives no canvas: too large, or out of memory');
  return context;
}
