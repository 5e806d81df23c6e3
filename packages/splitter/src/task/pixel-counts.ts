// A mask that a model drew beside the true one -> counts of pixels by level, from which IoU and AUROC follow.
import { describeTensor, elementCount, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';
import type { Mask } from './task.ts';

/** Levels of a float mask between 0 and 1. An 8-bit mask has its 256. */
const FLOAT_LEVELS = 4096;
/** A probability may miss 0 and 1 by the rounding of a codec or a resize. */
const SLACK = 1e-3;

/**
 * Pixels of one sample by the level that the model gave them: `defective` where the label has a defect. At the size of
 * the label.
 */
export interface PixelCounts {
  readonly defective: Uint32Array;
  readonly sound: Uint32Array;
}

interface LevelMap {
  readonly width: number;
  readonly height: number;
  readonly levels: Uint8Array | Uint16Array;
  readonly levelCount: number;
}

/**
 * The model's mask is brought to the size of the label (nearest pixel), not the label to the mask's: so models with
 * masks of different sizes are held to the same truth, and a thin scratch is not rounded away.
 * @param drawn uint8 (255 is certain) or float32/float16/float64 probabilities; [1, 1, H, W], [1, H, W, 1], [1, H, W] or [H, W]
 * @param truth null for a good part whose size is not known: no pixel is defective, and pixels are counted at the size
 * of `drawn`. An empty mask counts them at the size of the labels, as a pooled figure needs.
 * @throws {KerfError} INVALID_ARGUMENT for a tensor that is no mask.
 */
export function countPixels(drawn: Tensor, truth: Mask | null): PixelCounts {
  const map = levelMap(drawn);
  const defective = new Uint32Array(map.levelCount);
  const sound = new Uint32Array(map.levelCount);
  const { width, height } = truth ?? map;
  const columns = nearest(width, map.width);
  const rows = nearest(height, map.height);
  for (let y = 0; y < height; y++) {
    const from = (rows[y] as number) * map.width;
    for (let x = 0; x < width; x++) {
      const level = map.levels[from + (columns[x] as number)] as number;
      const counts = truth !== null && truth.pixels[y * width + x] === 1 ? defective : sound;
      counts[level] = (counts[level] as number) + 1;
    }
  }
  return { defective, sound };
}

/** For each place of a line of `count`, the nearest of `sourceCount`, by the centres of pixels. */
function nearest(count: number, sourceCount: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * sourceCount) / count));
}

/** Pixels in both masks, and in either, when the model's says defect from `threshold` (0 to 1) on. */
export function overlap(
  { defective, sound }: PixelCounts,
  threshold: number,
): { readonly both: number; readonly either: number } {
  const first = leastLevel(defective.length, threshold);
  let both = 0;
  let either = 0;
  for (let level = 0; level < defective.length; level++) {
    if (level >= first) both += defective[level] as number;
    either += (defective[level] as number) + (level >= first ? (sound[level] as number) : 0);
  }
  return { both, either };
}

/**
 * Intersection over union of defective pixels, of all samples together.
 * @returns 0 to 1; NaN when neither the labels nor the model have a defective pixel.
 */
export function iou(samples: readonly PixelCounts[], threshold: number): number {
  let both = 0;
  let either = 0;
  for (const sample of samples) {
    const found = overlap(sample, threshold);
    both += found.both;
    either += found.either;
  }
  return both / either;
}

/** A pixel is defective from this level on. */
function leastLevel(levelCount: number, threshold: number): number {
  const steps = levelCount === FLOAT_LEVELS ? FLOAT_LEVELS : levelCount - 1;
  return Math.min(levelCount - 1, Math.ceil(threshold * steps - 1e-9));
}

/** Largest value of a mask, 0 to 1: the score of the picture where a model gives none. @throws {KerfError} INVALID_ARGUMENT. */
export function largestProbability(drawn: Tensor): number {
  const { levels, levelCount } = levelMap(drawn);
  let largest = 0;
  for (const level of levels) if (level > largest) largest = level;
  return largest / (levelCount - 1);
}

function levelMap(tensor: Tensor): LevelMap {
  const { width, height } = mapSize(tensor);
  const view = typedView(tensor);
  if (view instanceof Uint8Array && tensor.dtype === 'uint8') return { width, height, levels: view, levelCount: 256 };
  const levels = new Uint16Array(view.length);
  for (let at = 0; at < view.length; at++) {
    const value = tensor.dtype === 'float16' ? float16Value(Number(view[at])) : Number(view[at]);
    if (!(value >= -SLACK && value <= 1 + SLACK)) throw noProbability(value);
    levels[at] = Math.min(FLOAT_LEVELS - 1, Math.max(0, Math.floor(value * FLOAT_LEVELS)));
  }
  return { width, height, levels, levelCount: FLOAT_LEVELS };
}

const MASK_DTYPES: readonly string[] = ['uint8', 'bool', 'float16', 'float32', 'float64'];

function mapSize(tensor: Tensor): { width: number; height: number } {
  const { shape, dtype } = tensor;
  const isLast = shape.length === 4 && shape[3] === 1 && shape[1] !== 1;
  const [height = 0, width = 0] = isLast ? shape.slice(1, 3) : shape.slice(-2);
  if (
    shape.length < 2 ||
    elementCount(shape) !== width * height ||
    width * height === 0 ||
    !MASK_DTYPES.includes(dtype)
  ) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `${describeTensor(tensor)} is no mask: one value for each pixel of one picture, uint8 or float, is needed`,
    );
  }
  return { width, height };
}

function noProbability(value: number): KerfError {
  return new KerfError(
    'INVALID_ARGUMENT',
    `a mask holds ${value}, and must hold probabilities from 0 to 1 (or uint8): end the model with Sigmoid`,
  );
}
