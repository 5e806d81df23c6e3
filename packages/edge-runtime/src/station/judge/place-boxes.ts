// Boxes in pixels of a model's input -> those worth a look, in pixels of the picture that was taken.
import type { ResultBox } from '../result-record.ts';
import type { FoundBox } from './find-boxes.ts';
import type { PictureGeometry } from './judgement.ts';

/** Boxes that are compared with each other: the surest. */
const MOST_COMPARED = 512;

/**
 * The surest first, clipped to what the model saw of the picture.
 * @param overlap of two boxes of a class that share more than this of their area (intersection over union), the less sure
 * one is left out; null leaves none out
 */
export function placeBoxes(
  boxes: readonly FoundBox[],
  labels: readonly string[],
  overlap: number | null,
  geometry: PictureGeometry,
): ResultBox[] {
  const placed = boxes
    .filter((box) => !isBeside(box, geometry))
    .sort((one, other) => other.score - one.score)
    .slice(0, MOST_COMPARED)
    .map((box) => ({ ...inPicture(box, geometry), label: labels[box.classAt] ?? '', score: box.score }));
  return overlap === null ? placed : withoutOverlaps(placed, overlap);
}

/** Wholly within the bars beside the picture, or outside of the input: there is no part. */
function isBeside({ left, top, right, bottom }: FoundBox, { area }: PictureGeometry): boolean {
  const isLeftOrRight = right < area.x || left > area.x + area.width;
  return isLeftOrRight || bottom < area.y || top > area.y + area.height;
}

function inPicture(box: FoundBox, { shown, area }: PictureGeometry): Omit<ResultBox, 'label' | 'score'> {
  const across = shown.width / area.width;
  const down = shown.height / area.height;
  const x = (value: number): number => Math.min(area.width, Math.max(0, value - area.x)) * across;
  const y = (value: number): number => Math.min(area.height, Math.max(0, value - area.y)) * down;
  return {
    x: shown.x + x(box.left),
    y: shown.y + y(box.top),
    width: x(box.right) - x(box.left),
    height: y(box.bottom) - y(box.top),
  };
}

/** Greedy, the surest first; boxes of different classes do not hide each other. */
function withoutOverlaps(boxes: readonly ResultBox[], overlap: number): ResultBox[] {
  const kept: ResultBox[] = [];
  for (const box of boxes) {
    if (!kept.some((other) => other.label === box.label && shared(other, box) > overlap)) kept.push(box);
  }
  return kept;
}

/** Intersection over union. */
function shared(one: ResultBox, other: ResultBox): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (one.width * one.height + other.width * other.height - both);
}
