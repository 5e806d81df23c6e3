// Boxes that a YOLOX-like model gives -> a finding whose score is that of the surest box of a class to reject.
import { describeTensor, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';
import { pick } from '@kerf/splitter';
import { list, maybe, needed, object, type ValueOf, withDefault } from '../../config/shape.ts';
import { number, text } from '../../config/values.ts';
import type { ResultBox } from '../result-record.ts';
import type { FindingReader, PictureGeometry } from './judgement.ts';

const name = text({ mostCharacters: 64 });

/** `task` of kind `detector`. */
export const DETECTOR_TASK = object({
  classes: needed(list(name, { least: 1, most: 10_000 }), "names in the order of the model's classes"),
  reject: needed(
    list(name, { least: 1, most: 10_000 }),
    "classes of defects: the part's score is that of the surest box",
  ),
  output: maybe(text(), 'output with the boxes, [1, boxes, 5 + classes] (default: the only one)'),
  minScore: withDefault(number({ least: 0.001, most: 1 }), 0.1, 'boxes below this are not there'),
  overlap: withDefault(
    number({ least: 0, most: 1 }),
    0.45,
    'of two boxes of a class that share more of their area (intersection over union), the less sure one is not there',
  ),
});

export type DetectorTask = ValueOf<typeof DETECTOR_TASK>;

/** YOLOX's grids: a cell for so many pixels of the input. */
const STRIDES = [8, 16, 32];
/** Boxes that are compared with each other, and that a record lists. */
const MOST_COMPARED = 512;
const MOST_LISTED = 64;

export function detectorReader(task: DetectorTask): FindingReader {
  const rejected = new Set(task.reject);
  return (outputs, geometry) => {
    const tensor = pick(outputs, task.output ?? undefined, []);
    const found = withoutOverlaps(boxesOf(tensor, task, geometry), task.overlap);
    const scores = found.filter(({ label }) => rejected.has(label)).map(({ score }) => score);
    return {
      // A box that is no number must not be read as no box.
      score: hasNaN(tensor) ? Number.NaN : Math.max(0, ...scores),
      scores: {},
      boxes: found.slice(0, MOST_LISTED),
      mask: null,
      doubt: null,
    };
  };
}

/**
 * Boxes of at least `minScore`, the surest first, in pixels of the picture that was taken.
 * YOLOX (Ge et al. 2021, arXiv 2107.08430): centre = (output + cell) * stride, size = exp(output) * stride, score =
 * objectness * class.
 * @throws {KerfError} TENSOR_MISMATCH for an output that is not a row for each cell.
 */
function boxesOf(tensor: Tensor, { classes, minScore }: DetectorTask, geometry: PictureGeometry): ResultBox[] {
  const { width, height } = geometry.input;
  const cells = STRIDES.map((stride) => ({
    stride,
    columns: Math.floor(width / stride),
    rows: Math.floor(height / stride),
  }));
  const count = cells.reduce((sum, { columns, rows }) => sum + columns * rows, 0);
  const [one, boxes, columns] = tensor.shape;
  if (tensor.shape.length !== 3 || one !== 1 || boxes !== count || columns !== 5 + classes.length) {
    const wanted = `[1, ${count}, ${5 + classes.length}]`;
    throw new KerfError(
      'TENSOR_MISMATCH',
      `the boxes are ${describeTensor(tensor)}; ${width}x${height} needs ${wanted}`,
    );
  }
  const at = reader(tensor);
  const found: ResultBox[] = [];
  let row = 0;
  for (const grid of cells) {
    for (let cell = 0; cell < grid.columns * grid.rows; cell++, row++) {
      const from = row * columns;
      const best = bestClass(at, from + 5, classes.length);
      const score = at(from + 4) * best.value;
      if (!(score >= minScore)) continue;
      const x = (at(from) + (cell % grid.columns)) * grid.stride;
      const y = (at(from + 1) + Math.floor(cell / grid.columns)) * grid.stride;
      const size = { width: Math.exp(at(from + 2)) * grid.stride, height: Math.exp(at(from + 3)) * grid.stride };
      found.push(placed({ x, y, ...size }, { label: classes[best.index] ?? '', score: Math.min(1, score) }, geometry));
    }
  }
  return found.sort((left, right) => right.score - left.score);
}

function reader(tensor: Tensor): (at: number) => number {
  const view = typedView(tensor);
  if (tensor.dtype === 'float16') return (at) => float16Value(Number(view[at]));
  return (at) => Number(view[at]);
}

function hasNaN(tensor: Tensor): boolean {
  const at = reader(tensor);
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  for (let index = 0; index < count; index++) if (Number.isNaN(at(index))) return true;
  return false;
}

function bestClass(at: (index: number) => number, from: number, count: number): { index: number; value: number } {
  let index = 0;
  for (let next = 1; next < count; next++) if (at(from + next) > at(from + index)) index = next;
  return { index, value: at(from + index) };
}

/** From the centre in the input to the corner in the picture that was taken, clipped to what the model saw. */
function placed(
  centre: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  what: Pick<ResultBox, 'label' | 'score'>,
  { shown, input }: PictureGeometry,
): ResultBox {
  const across = shown.width / input.width;
  const down = shown.height / input.height;
  const clip = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const left = clip(centre.x - centre.width / 2, input.width);
  const top = clip(centre.y - centre.height / 2, input.height);
  const right = clip(centre.x + centre.width / 2, input.width);
  const bottom = clip(centre.y + centre.height / 2, input.height);
  return {
    x: shown.x + left * across,
    y: shown.y + top * down,
    width: (right - left) * across,
    height: (bottom - top) * down,
    ...what,
  };
}

/** Greedy, the surest first; boxes of different classes do not hide each other. */
function withoutOverlaps(boxes: readonly ResultBox[], overlap: number): ResultBox[] {
  const kept: ResultBox[] = [];
  for (const box of boxes.slice(0, MOST_COMPARED)) {
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
