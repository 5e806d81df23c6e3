// A part and a mask -> a small picture of the part with the mask drawn over it.
import type { RgbImage, Tensor } from '@kerf/protocol';
import type { Mask } from '@kerf/splitter';
import { encodeJpeg, resizePicture } from '../picture.ts';
import type { DemoPicture } from './report.ts';

const SIDE = 192;
const QUALITY = 82;
const MASK_LEVELS = 255;
/** Of the truth's outline and of what a model found: told apart by hue and by form. */
const OUTLINE: readonly number[] = [255, 214, 0];
const FOUND: readonly number[] = [255, 40, 60];
const FOUND_SHARE = 0.6;

/** The part with the border of its true defect; as it is where there is none. */
export async function truthView(image: RgbImage, truth: Mask | null, description: string): Promise<DemoPicture> {
  const small = await resizePicture(image, SIDE, SIDE);
  if (truth === null) return viewOf(small, description);
  const isDefect = (x: number, y: number): boolean => {
    const column = Math.floor(((x + 0.5) * truth.width) / SIDE);
    const row = Math.floor(((y + 0.5) * truth.height) / SIDE);
    return x >= 0 && y >= 0 && x < SIDE && y < SIDE && truth.pixels[row * truth.width + column] === 1;
  };
  const isBorder = (x: number, y: number): boolean =>
    !isDefect(x, y) && NEIGHBOURS.some(([right, down]) => isDefect(x + right, y + down));
  return viewOf(painted(small, OUTLINE, 1, isBorder), description);
}

const NEIGHBOURS = [-1, 0, 1].flatMap((right) => [-1, 0, 1].map((down) => [right, down] as const));

/** The part with the pixels that a mask calls defective. @param mask uint8 [1, 1, H, W], probabilities in 255ths. */
export async function maskView(
  image: RgbImage,
  mask: Tensor,
  threshold: number,
  description: string,
): Promise<DemoPicture> {
  const [, , height = 0, width = 0] = mask.shape;
  const small = await resizePicture(image, SIDE, SIDE);
  const least = threshold * MASK_LEVELS;
  const isFound = (x: number, y: number): boolean => {
    const column = Math.floor(((x + 0.5) * width) / SIDE);
    const row = Math.floor(((y + 0.5) * height) / SIDE);
    return (mask.data[row * width + column] ?? 0) >= least;
  };
  return viewOf(painted(small, FOUND, FOUND_SHARE, isFound), description);
}

function painted(
  { width, height, data }: RgbImage,
  colour: readonly number[],
  share: number,
  isPainted: (x: number, y: number) => boolean,
): RgbImage {
  const drawn = Uint8Array.from(data);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isPainted(x, y)) continue;
      const at = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) {
        const before = data[at + channel] as number;
        drawn[at + channel] = Math.round(before + share * ((colour[channel] ?? 0) - before));
      }
    }
  }
  return { width, height, data: drawn };
}

async function viewOf(image: RgbImage, description: string): Promise<DemoPicture> {
  const jpeg = await encodeJpeg(image, QUALITY);
  const dataUri = `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`;
  return { dataUri, width: image.width, height: image.height, description };
}
