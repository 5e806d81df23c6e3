// Class scores for each step of a text line -> its text (CTC, best class each); two texts -> their edit distance.
import { describeTensor, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';

/**
 * Greedy CTC decoding: the best class of each step, repeats joined, blanks dropped.
 * @param scores float [1, steps, classes] or [steps, classes]; class 0 is the blank
 * @param alphabet of classes 1 and on. With one character less than there are, the last class is a space, as PP-OCR has it.
 * @throws {KerfError} INVALID_ARGUMENT when tensor and alphabet do not fit.
 */
export function decodeCtc(scores: Tensor, alphabet: readonly string[]): string {
  const [steps, classes] = sizesOf(scores);
  const spaces = classes - 1 - alphabet.length;
  if (spaces !== 0 && spaces !== 1) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `an alphabet of ${alphabet.length} characters does not fit ${classes} classes: a blank, the characters and maybe a space`,
    );
  }
  const view = typedView(scores);
  const at = (index: number): number =>
    scores.dtype === 'float16' ? float16Value(Number(view[index])) : Number(view[index]);
  let text = '';
  let last = 0;
  for (let step = 0; step < steps; step++) {
    const best = bestClass(at, step * classes, classes);
    if (best !== 0 && best !== last) text += alphabet[best - 1] ?? ' ';
    last = best;
  }
  return text;
}

function sizesOf(scores: Tensor): [steps: number, classes: number] {
  const { shape, dtype } = scores;
  const [steps = 0, classes = 0] = shape.slice(-2);
  const isOneLine = shape.length === 2 || (shape.length === 3 && shape[0] === 1);
  if (!isOneLine || classes < 2 || !dtype.startsWith('float')) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `${describeTensor(scores)} is not the classes of each step of one text line`,
    );
  }
  return [steps, classes];
}

function bestClass(at: (index: number) => number, from: number, classes: number): number {
  let best = 0;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < classes; index++) {
    const value = at(from + index);
    if (value > bestValue) {
      best = index;
      bestValue = value;
    }
  }
  return best;
}

/** Code points, so that one beyond 16 bits counts once. */
export function charactersOf(text: string): string[] {
  return Array.from(text);
}

/** Levenshtein's distance in characters (code points): insertions, deletions and replacements. */
export function editDistance(left: string, right: string): number {
  const to = charactersOf(right);
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [row, character] of charactersOf(left).entries()) {
    const current = [row + 1];
    for (const [at, other] of to.entries()) {
      current.push(
        Math.min(
          (current[at] as number) + 1,
          (previous[at + 1] as number) + 1,
          (previous[at] as number) + (character === other ? 0 : 1),
        ),
      );
    }
    previous = current;
  }
  return previous[to.length] as number;
}

/**
 * Share of right characters of many lines: 1 - edit distances / length of the true texts.
 * @returns at most 1, below 0 where more was read than stands there; NaN without a character.
 */
export function characterAccuracy(lines: readonly { readonly truth: string; readonly read: string }[]): number {
  let errors = 0;
  let length = 0;
  for (const { truth, read } of lines) {
    errors += editDistance(truth, read);
    length += charactersOf(truth).length;
  }
  return 1 - errors / length;
}
