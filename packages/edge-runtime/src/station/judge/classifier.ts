// Numbers of classes -> a finding whose score is the probability that the part is of a class to reject.
import { describeTensor, elementCount, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';
import { pick } from '@kerf/splitter';
import { list, maybe, needed, object, problem, type ValueOf, withDefault } from '../../config/shape.ts';
import { choice, number, text } from '../../config/values.ts';
import type { Reason } from '../result-record.ts';
import type { FindingReader } from './judgement.ts';
import { partReason } from './part-reason.ts';

const name = text({ mostCharacters: 64 });

/** `task` of kind `classifier`. */
export const CLASSIFIER_TASK = object({
  classes: needed(list(name, { least: 2, most: 10_000 }), "names in the order of the model's classes"),
  reject: needed(
    list(name, { least: 1, most: 10_000 }),
    "classes of bad parts: the part's score is the sum of their probabilities",
  ),
  output: maybe(
    text(),
    'output with a number for each class (default: logits, probabilities, scores, or the only one)',
  ),
  values: withDefault(
    choice(['logits', 'probabilities']),
    'logits',
    'what these numbers are; logits go through softmax',
  ),
  sureFrom: withDefault(
    number({ least: 0, most: 1 }),
    0,
    'a part whose most likely class has a probability below this is REVIEW, never PASS',
  ),
});

export type ClassifierTask = ValueOf<typeof CLASSIFIER_TASK>;

const NAMES: readonly string[] = ['logits', 'probabilities', 'scores', 'class'];
/** Classes that a record lists. */
const LISTED = 5;

/** @throws {KerfError} CONFIG_INVALID where a class to reject is no class, or a class is named twice. */
export function checkClasses({ classes, reject }: Pick<ClassifierTask, 'classes' | 'reject'>, path: string): void {
  const twice = classes.find((one, at) => classes.indexOf(one) !== at);
  if (twice !== undefined) throw problem(`${path}.classes`, `names '${twice}' twice`);
  const stray = reject.find((one) => !classes.includes(one));
  if (stray !== undefined) throw problem(`${path}.reject`, `names '${stray}', which is not among the classes`);
}

export function classifierReader(task: ClassifierTask): FindingReader {
  const rejected = new Set(task.reject);
  return (outputs) => {
    const values = classValues(pick(outputs, task.output ?? undefined, NAMES), task.classes.length);
    const probabilities = task.values === 'logits' ? softmax(values) : values;
    const ranked = task.classes
      .map((label, at) => ({ label, probability: probabilities[at] as number }))
      .sort((left, right) => right.probability - left.probability);
    const score = ranked.reduce((sum, { label, probability }) => sum + (rejected.has(label) ? probability : 0), 0);
    return {
      score: ranked.some(({ probability }) => Number.isNaN(probability)) ? Number.NaN : Math.min(1, score),
      scores: Object.fromEntries(ranked.slice(0, LISTED).map(({ label, probability }) => [label, probability])),
      boxes: [],
      mask: null,
      doubt: doubtOf(ranked[0], task.sureFrom),
    };
  };
}

function doubtOf(top: { label: string; probability: number } | undefined, sureFrom: number): Reason | null {
  if (top === undefined || top.probability >= sureFrom) return null;
  return partReason({ kind: 'unsure', label: top.label, probability: top.probability, sureFrom });
}

function classValues(tensor: Tensor, classes: number): number[] {
  if (tensor.dtype === 'string' || elementCount(tensor.shape) !== classes) {
    const found = describeTensor(tensor);
    throw new KerfError(
      'TENSOR_MISMATCH',
      `the output with classes is ${found}, the station file names ${classes} classes`,
    );
  }
  const isHalf = tensor.dtype === 'float16';
  return Array.from(typedView(tensor) as ArrayLike<number | bigint>, (value) =>
    isHalf ? float16Value(Number(value)) : Number(value),
  );
}

function softmax(values: readonly number[]): number[] {
  const largest = values.reduce((most, value) => (value > most ? value : most), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
