// A class for each pixel -> a finding whose score is how sure it is that some of them show what is to be rejected.
import { describeTensor, KerfError, makeTensor, type Tensor } from '@kerf/protocol';
import { pick } from '@kerf/splitter';
import { list, maybe, needed, object, type ValueOf, withDefault } from '../../config/shape.ts';
import { choice, number, text } from '../../config/values.ts';
import type { FindingReader } from './judgement.ts';
import { maskRuns } from './mask-runs.ts';
import { maskArea, shownMask } from './shown-mask.ts';
import { numbersOf } from './tensor-numbers.ts';

const name = text({ mostCharacters: 64 });

/** `task` of kind `segmentation`. */
export const SEGMENTATION_TASK = object({
  classes: needed(
    list(name, { least: 2, most: 255 }),
    "names in the order of the model's classes, that of sound pixels among them",
  ),
  reject: needed(
    list(name, { least: 1, most: 255 }),
    'classes of defects: of each pixel the sum of their probabilities counts',
  ),
  output: maybe(text(), 'output with the classes of pixels (default: logits, probabilities, or the only one)'),
  values: withDefault(
    choice(['logits', 'probabilities', 'indices']),
    'logits',
    'what it holds: a number for each class, where logits go through softmax, or the index of a class',
  ),
  minArea: withDefault(
    number({ least: 0, most: 1 }),
    0,
    "share of the picture that must be at least as sure as the part's score says (default: one pixel)",
  ),
});

export type SegmentationTask = ValueOf<typeof SEGMENTATION_TASK>;

const NAMES: readonly string[] = ['logits', 'probabilities', 'masks', 'output'];
/** Classes whose share of the picture a record lists. */
const LISTED = 5;

export function segmentationReader(task: SegmentationTask): FindingReader {
  return (outputs, geometry) => {
    const map = classMap(pick(outputs, task.output ?? undefined, NAMES), task);
    const shape = [1, 1, map.height, map.width];
    const rejected = shownMask(makeTensor('uint8', shape, map.rejected), geometry);
    const classes = shownMask(makeTensor('uint8', shape, map.classes), geometry);
    return {
      score: map.hasNaN ? Number.NaN : surest(rejected.data, task.minArea),
      scores: sharesOf(classes.data, task.classes),
      boxes: [],
      mask: maskArea(maskRuns(rejected), geometry),
      doubt: null,
    };
  };
}

interface ClassMap {
  readonly width: number;
  readonly height: number;
  /** Probability of a class to reject, of 255. */
  readonly rejected: Uint8Array;
  readonly classes: Uint8Array;
  readonly hasNaN: boolean;
}

/** @throws {KerfError} TENSOR_MISMATCH for a tensor of another shape, or with an index that is no class. */
function classMap(tensor: Tensor, task: SegmentationTask): ClassMap {
  return task.values === 'indices' ? mapOfIndices(tensor, task) : mapOfScores(tensor, task);
}

function mapOfIndices(tensor: Tensor, { classes, reject }: SegmentationTask): ClassMap {
  const sizes = tensor.shape.filter((size, at) => size !== 1 || at >= tensor.shape.length - 2);
  const [height = 0, width = 0] = sizes.slice(-2);
  if (tensor.shape.length < 2 || sizes.length > 2) throw mismatch(tensor, 'indices are [1, H, W] or [1, 1, H, W]');
  const values = numbersOf(tensor);
  const isRejected = classes.map((one) => reject.includes(one));
  const map = emptyMap(width, height);
  for (let at = 0; at < map.classes.length; at++) {
    const index = values[at] as number;
    if (classes[index] === undefined) {
      throw mismatch(tensor, `it says class ${index}, and the station file names ${classes.length}, counted from 0`);
    }
    map.classes[at] = index;
    map.rejected[at] = isRejected[index] === true ? 255 : 0;
  }
  return { ...map, hasNaN: false };
}

function mapOfScores(tensor: Tensor, { classes, reject, values }: SegmentationTask): ClassMap {
  const [one, second = 0, third = 0, fourth = 0] = tensor.shape;
  const count = classes.length;
  const isFirst = second === count;
  if (tensor.shape.length !== 4 || one !== 1 || (!isFirst && fourth !== count)) {
    throw mismatch(tensor, `${count} classes are [1, ${count}, H, W] or [1, H, W, ${count}], or say values: indices`);
  }
  const [height, width] = isFirst ? [third, fourth] : [second, third];
  const [classStep, pixelStep] = isFirst ? [width * height, 1] : [1, count];
  const numbers = numbersOf(tensor);
  const rejected = classes.flatMap((label, at) => (reject.includes(label) ? [at * classStep] : []));
  const map = emptyMap(width, height);
  let hasNaN = false;
  for (let pixel = 0; pixel < map.classes.length; pixel++) {
    const from = pixel * pixelStep;
    let best = 0;
    for (let index = 1; index < count; index++) {
      if ((numbers[from + index * classStep] as number) > (numbers[from + best * classStep] as number)) best = index;
    }
    const most = numbers[from + best * classStep] as number;
    let [sum, bad] = [0, 0];
    if (values === 'logits') {
      for (let index = 0; index < count; index++) sum += Math.exp((numbers[from + index * classStep] as number) - most);
      for (const step of rejected) bad += Math.exp((numbers[from + step] as number) - most) / sum;
    } else {
      if (most > 1.5) throw mismatch(tensor, `it holds ${most.toPrecision(3)}: these are logits; say values: logits`);
      for (const step of rejected) bad += numbers[from + step] as number;
    }
    hasNaN ||= Number.isNaN(bad) || Number.isNaN(most);
    map.classes[pixel] = best;
    map.rejected[pixel] = Math.round(255 * Math.min(1, Math.max(0, bad)));
  }
  return { ...map, hasNaN };
}

function emptyMap(width: number, height: number): Omit<ClassMap, 'hasNaN'> {
  const pixels = width * height;
  return { width, height, rejected: new Uint8Array(pixels), classes: new Uint8Array(pixels) };
}

/** The largest probability that at least `area` of the pixels, and one, have or exceed. */
function surest(rejected: Uint8Array, area: number): number {
  const counts = new Uint32Array(256);
  for (const level of rejected) counts[level] = (counts[level] as number) + 1;
  const needed = Math.max(1, Math.ceil(area * rejected.length));
  let found = 0;
  for (let level = 255; level > 0; level--) {
    found += counts[level] as number;
    if (found >= needed) return level / 255;
  }
  return 0;
}

function sharesOf(map: Uint8Array, classes: readonly string[]): Record<string, number> {
  const counts = classes.map((label) => ({ label, share: 0 }));
  for (const index of map) {
    const counted = counts[index];
    if (counted !== undefined) counted.share += 1 / map.length;
  }
  const listed = counts.sort((left, right) => right.share - left.share).slice(0, LISTED);
  return Object.fromEntries(listed.map(({ label, share }) => [label, Math.min(1, share)]));
}

function mismatch(tensor: Tensor, what: string): KerfError {
  return new KerfError(
    'TENSOR_MISMATCH',
    `the output with the classes of pixels is ${describeTensor(tensor)}: ${what}`,
  );
}
