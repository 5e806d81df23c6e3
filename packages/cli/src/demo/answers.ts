// The outputs of a model for a part -> its verdict, its mask, and how far they are from the whole model's and from the truth.
import { KerfError, type Tensor, type TensorMap, typedView } from '@kerf/protocol';
import {
  countPixels,
  iou,
  MASK_NAMES,
  type Mask,
  type PartVerdict,
  pick,
  SCORE_NAMES,
  type Thresholds,
  verdictOf,
} from '@kerf/splitter';

/** What a model says of a part. */
export interface Answer {
  readonly score: number;
  readonly verdict: PartVerdict | null;
  /** uint8, probabilities in 255ths. */
  readonly mask: Tensor;
}

const MASK_LEVELS = 255;

/** @throws {KerfError} TENSOR_MISMATCH for outputs of another kind of model. */
export function answerOf(outputs: TensorMap, thresholds: Thresholds | null): Answer {
  const mask = pick(outputs, undefined, MASK_NAMES);
  const scored = pick(outputs, undefined, SCORE_NAMES);
  if (mask.dtype !== 'uint8' || scored.dtype !== 'float32') {
    throw new KerfError('TENSOR_MISMATCH', 'the demo is for models with a mask of uint8 and a score of float32');
  }
  const score = typedView(scored as Tensor & { dtype: 'float32' })[0] ?? Number.NaN;
  return { score, verdict: thresholds === null ? null : verdictOf(score, thresholds), mask };
}

/** Of a probability: a pixel of the mask, or the score. */
export function largestDifference(left: Answer, right: Answer): number {
  const [one, other] = [left.mask.data, right.mask.data];
  let most = 0;
  for (let at = 0; at < one.length; at++) most = Math.max(most, Math.abs((one[at] as number) - (other[at] as number)));
  return Math.max(most / MASK_LEVELS, Math.abs(left.score - right.score));
}

/** In percent, of the defective pixels of all parts together; null where the truth of a part is not known. */
export function pixelIou(
  answers: readonly { readonly answer: Answer; readonly truth: Mask | null }[],
  maskThreshold: number,
): number | null {
  if (answers.length === 0 || answers.some(({ truth }) => truth === null)) return null;
  const share = iou(
    answers.map(({ answer, truth }) => countPixels(answer.mask, truth)),
    maskThreshold,
  );
  return Number.isNaN(share) ? null : 100 * share;
}
