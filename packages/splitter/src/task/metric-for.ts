// A kind of label and the outputs to look at -> the task's metric, additive over samples, so that intervals are cheap.
import { decodeStrings, elementCount, KerfError, type Tensor, type TensorMap } from '@kerf/protocol';
import { matchedBoxes, type ScoredBox } from './box-matches.ts';
import { classOf } from './class-of.ts';
import { charactersOf, decodeCtc, editDistance } from './ctc.ts';
import { type BootstrapOptions, bootstrapInterval, type Interval, wilsonInterval } from './intervals.ts';
import { numberReader } from './number-reader.ts';
import { countPixels, overlap } from './pixel-counts.ts';
import type { Answered, Label, TaskMetric } from './task.ts';

/** `boxes`: a detector's, against those that the whole model finds. */
export type TaskKind = Label['kind'] | 'boxes' | 'none';

export interface MetricOptions {
  /** Output that holds the mask, the classes or the text. @default the only one, or one with a name that says so */
  readonly output?: string | undefined;
  /** `defect`: probability from which a pixel is defective, 0 to 1. @default 0.5 */
  readonly maskThreshold?: number | undefined;
  /** `text`: the characters of classes 1 and on. @see decodeCtc */
  readonly alphabet?: readonly string[] | undefined;
  /** `boxes`: what a detector's outputs say. */
  readonly boxes?: ((outputs: TensorMap) => readonly ScoredBox[]) | undefined;
}

/** What one sample adds: points of a set are `100 * sum(right) / sum(of)`, at least 0. */
export interface Tally {
  readonly right: number;
  readonly of: number;
}

/** A metric that needs no more of an answer than two numbers: keep these, and let the tensors go. */
export interface TallyMetric extends TaskMetric {
  readonly kind: TaskKind;
  /** Answers are held against the whole model's, not against labels. */
  readonly needsReference: boolean;
  /** @throws {KerfError} INVALID_ARGUMENT for an answer or label that does not fit. */
  tally(answer: Answered): Tally;
  /** @throws {KerfError} INVALID_ARGUMENT for nothing to measure. */
  pointsOf(tallies: readonly Tally[]): number;
}

const NAMES: Readonly<Record<TaskKind, string>> = {
  defect: 'pixel IoU',
  class: 'accuracy',
  text: 'character accuracy',
  boxes: 'F1 of boxes at IoU 0.5',
  none: 'closeness of outputs',
};

/** The metric of samples with labels of a kind, or without any. @throws {KerfError} INVALID_ARGUMENT. */
export function metricFor(kind: TaskKind, options: MetricOptions = {}): TallyMetric {
  if (kind === 'text' && options.alphabet === undefined) {
    throw new KerfError('INVALID_ARGUMENT', 'text needs the alphabet of the model: one character a line');
  }
  if (kind === 'boxes' && options.boxes === undefined) {
    throw new KerfError('INVALID_ARGUMENT', 'boxes need to know how they stand in the outputs');
  }
  const tally = (answer: Answered): Tally => TALLIES[kind](answer, options);
  return {
    kind,
    name: NAMES[kind],
    needsReference: kind === 'none' || kind === 'boxes',
    tally,
    pointsOf: (tallies) => checkedPoints(tallies, kind),
    points: (answers) => checkedPoints(answers.map(tally), kind),
  };
}

/** The kind that all labels share. @throws {KerfError} SAMPLES_UNUSABLE where they differ. */
export function taskKindOf(labels: Iterable<Label | null>): TaskKind {
  const kinds = new Set([...labels].map((label) => label?.kind ?? 'none'));
  if (kinds.size > 1) {
    throw new KerfError('SAMPLES_UNUSABLE', `samples have labels of several kinds: ${[...kinds].join(', ')}`);
  }
  return [...kinds][0] ?? 'none';
}

/**
 * Interval of a metric at 95 %: Wilson's for accuracy, which counts samples; else by bootstrap over samples.
 * @returns points.
 */
export function metricInterval(metric: TallyMetric, tallies: readonly Tally[], options?: BootstrapOptions): Interval {
  if (metric.kind !== 'class') {
    return bootstrapInterval(tallies.length, (weights) => weightedPoints(tallies, weights), options);
  }
  const { low, high } = wilsonInterval(
    tallies.reduce((sum, { right }) => sum + right, 0),
    tallies.length,
  );
  return { low: 100 * low, high: 100 * high };
}

export interface PairedLoss {
  readonly wholePoints: number;
  readonly codedPoints: number;
  /** `whole - coded`: negative where the coded one is better. */
  readonly lossPoints: number;
  /** Of the loss, at 95 %. Both on the same drawn samples, so that what is hard for both does not widen it. */
  readonly lossInterval: Interval;
}

/**
 * The loss between two runs on the same samples in the same order.
 * @throws {KerfError} INVALID_ARGUMENT for runs of different length, or nothing to measure.
 */
export function pairedLoss(
  metric: TallyMetric,
  whole: readonly Tally[],
  coded: readonly Tally[],
  options?: BootstrapOptions,
): PairedLoss {
  if (whole.length !== coded.length) {
    throw new KerfError('INVALID_ARGUMENT', `runs on ${whole.length} and ${coded.length} samples are no pair`);
  }
  const wholePoints = metric.pointsOf(whole);
  const codedPoints = metric.pointsOf(coded);
  const lossInterval = bootstrapInterval(
    whole.length,
    (weights) => weightedPoints(whole, weights) - weightedPoints(coded, weights),
    options,
  );
  return { wholePoints, codedPoints, lossPoints: wholePoints - codedPoints, lossInterval };
}

function weightedPoints(tallies: readonly Tally[], weights: Uint32Array): number {
  let right = 0;
  let of = 0;
  for (let at = 0; at < tallies.length; at++) {
    const tally = tallies[at] as Tally;
    right += tally.right * (weights[at] as number);
    of += tally.of * (weights[at] as number);
  }
  return 100 * Math.max(0, right / of);
}

function checkedPoints(tallies: readonly Tally[], kind: TaskKind): number {
  const points = weightedPoints(tallies, new Uint32Array(tallies.length).fill(1));
  if (!Number.isNaN(points)) return points;
  throw new KerfError('INVALID_ARGUMENT', NOTHING_TO_MEASURE[kind] ?? 'there are no answers to measure');
}

const NOTHING_TO_MEASURE: Readonly<Partial<Record<TaskKind, string>>> = {
  defect: 'no sample has a mask with a defect: IoU has nothing to measure',
  boxes: 'no sample has a box: take pictures with something to find, or a lower task.minScore',
};

const TALLIES: Readonly<Record<TaskKind, (answer: Answered, options: MetricOptions) => Tally>> = {
  defect({ label, outputs }, { output, maskThreshold = 0.5 }) {
    if (label?.kind !== 'defect') throw wrongLabel('defect', label);
    if (label.defect !== null && label.mask === null) return { right: 0, of: 0 };
    const counts = countPixels(pick(outputs, output, MASK_NAMES), label.mask);
    const { both, either } = overlap(counts, maskThreshold);
    return { right: both, of: either };
  },
  class({ label, outputs }, { output }) {
    if (label?.kind !== 'class') throw wrongLabel('class', label);
    return { right: classOf(pick(outputs, output, CLASS_NAMES)) === label.index ? 1 : 0, of: 1 };
  },
  text({ label, outputs }, { output, alphabet = [] }) {
    if (label?.kind !== 'text') throw wrongLabel('text', label);
    const of = charactersOf(label.text).length;
    return { right: of - editDistance(label.text, decodeCtc(pick(outputs, output, []), alphabet)), of };
  },
  boxes({ outputs, reference }, { boxes = () => [] }) {
    const [found, right] = [boxes(outputs), boxes(reference)];
    return { right: 2 * matchedBoxes(found, right), of: found.length + right.length };
  },
  none({ outputs, reference }, { output }) {
    const names = output === undefined ? [...reference.keys()] : [output];
    const distances = names.map((name) => relativeDistance(named(reference, name), named(outputs, name)));
    return { right: 1 - distances.reduce((sum, value) => sum + value, 0) / distances.length, of: 1 };
  },
};

/** Names by which an output is taken for the one that counts, when there are several. */
export const MASK_NAMES: readonly string[] = ['mask', 'anomaly_map'];
export const SCORE_NAMES: readonly string[] = ['score', 'pred_score'];
const CLASS_NAMES: readonly string[] = ['logits', 'probabilities', 'scores', 'class'];

/** The output asked for, else one with a telling name, else the only one. @throws {KerfError} INVALID_ARGUMENT. */
export function pick(outputs: TensorMap, name: string | undefined, telling: readonly string[]): Tensor {
  if (name !== undefined) return named(outputs, name);
  const told = telling.find((candidate) => outputs.has(candidate));
  if (told !== undefined) return named(outputs, told);
  const [only] = outputs.values();
  if (outputs.size === 1 && only !== undefined) return only;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `which output counts? The model has ${[...outputs.keys()].join(', ')}; name one`,
  );
}

function named(outputs: TensorMap, name: string): Tensor {
  const tensor = outputs.get(name);
  if (tensor !== undefined) return tensor;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `there is no output '${name}'; outputs are ${[...outputs.keys()].join(', ')}`,
  );
}

function wrongLabel(kind: TaskKind, label: Label | null): KerfError {
  return new KerfError(
    'INVALID_ARGUMENT',
    `a sample with a label of kind ${kind} is needed, got ${label?.kind ?? 'none'}`,
  );
}

/** |actual - expected| / |expected| (L2), at most 1; of strings, the share that differs. NaN on one side only counts 1. */
function relativeDistance(expected: Tensor, actual: Tensor): number {
  const count = elementCount(expected.shape);
  if (expected.dtype !== actual.dtype || count !== elementCount(actual.shape)) return 1;
  if (expected.dtype === 'string') return differingShare(expected, actual, count);
  const left = numberReader(expected);
  const right = numberReader(actual);
  let difference = 0;
  let size = 0;
  for (let at = 0; at < count; at++) {
    const value = left(at);
    if (Object.is(value, right(at))) {
      if (Number.isFinite(value)) size += value ** 2;
      continue;
    }
    difference += (right(at) - value) ** 2;
    size += value ** 2;
  }
  if (difference === 0) return 0;
  const distance = Math.sqrt(difference / size);
  return distance < 1 ? distance : 1;
}

function differingShare(expected: Tensor, actual: Tensor, count: number): number {
  const others = decodeStrings(actual.data, count);
  const differing = decodeStrings(expected.data, count).filter((text, at) => text !== others[at]).length;
  return count === 0 ? 0 : differing / count;
}
