// A platform's codec -> a station's work on pictures, in the thread that asks.
import type { RgbImage } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import { drawOverlay } from '../sinks/overlay.ts';
import type { PictureCodec } from './picture-codec.ts';
import type { Pictures, ShownPicture, ShownSize } from './pictures.ts';
import { preparePicture, usable } from './prepare-picture.ts';
import type { ResultRecord } from './result-record.ts';

/** A larger picture is drawn smaller: with its strip it would exceed what can be coded. */
const LARGEST_DRAWN_PIXELS = 2 ** 24;

export function picturesWith(codec: PictureCodec): Pictures {
  return {
    prepare: (picture, wanted) => preparePicture(picture, wanted, codec).then(usable),
    overlay: async (picture, record) => overlayOf(await codec.decode(picture), record, codec),
    shown: async (picture, size) => shownOf(picture, await codec.decode(picture), size, codec),
    async sizeOf(picture) {
      const { width, height } = await codec.decode(picture);
      return { width, height };
    },
  };
}

async function overlayOf(image: RgbImage, record: ResultRecord, codec: PictureCodec): Promise<Uint8Array> {
  const share = Math.min(1, Math.sqrt(LARGEST_DRAWN_PIXELS / (image.width * image.height)));
  const shown = await scaled(image, share, Math.floor, codec);
  const boxes = record.boxes.map((box) => ({
    ...box,
    x: box.x * share,
    y: box.y * share,
    width: box.width * share,
    height: box.height * share,
  }));
  return codec.encode(drawOverlay(shown, { ...record, boxes }), { format: 'png', quality: 100 });
}

async function shownOf(
  picture: Picture,
  image: RgbImage,
  { longerSide, quality }: ShownSize,
  codec: PictureCodec,
): Promise<ShownPicture> {
  const { width, height } = image;
  const share = Math.min(1, longerSide / Math.max(width, height));
  if (share === 1 && picture.kind === 'encoded') return { format: picture.format, bytes: picture.bytes, width, height };
  const shown = await scaled(image, share, Math.round, codec);
  return { format: 'jpeg', bytes: await codec.encode(shown, { format: 'jpeg', quality }), width, height };
}

async function scaled(
  image: RgbImage,
  share: number,
  round: (side: number) => number,
  codec: PictureCodec,
): Promise<RgbImage> {
  if (share === 1) return image;
  const side = (pixels: number): number => Math.max(1, round(pixels * share));
  return codec.resize(image, side(image.width), side(image.height));
}
