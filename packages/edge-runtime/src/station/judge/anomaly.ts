// A mask of defects and a score -> a finding.
import { describeTensor, elementCount, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';
import { largestProbability, MASK_NAMES, pick, SCORE_NAMES } from '@kerf/splitter';
import { maybe, object, type ValueOf } from '../../config/shape.ts';
import { text } from '../../config/values.ts';
import type { FindingReader } from './judgement.ts';
import { maskRuns } from './mask-runs.ts';
import { maskArea, shownMask } from './shown-mask.ts';

/** `task` of kind `anomaly`. */
export const ANOMALY_TASK = object({
  score: maybe(
    text(),
    "output with the part's score (default: one named score or pred_score, else the mask's largest value)",
  ),
  mask: maybe(text(), 'output with the mask (default: one named mask or anomaly_map); a model may have none'),
});

export function anomalyReader({ score, mask }: ValueOf<typeof ANOMALY_TASK>): FindingReader {
  return (outputs, geometry) => {
    const hasMask = mask !== null || MASK_NAMES.some((name) => outputs.has(name));
    const drawn = hasMask ? shownMask(pick(outputs, mask ?? undefined, MASK_NAMES), geometry) : null;
    const scoreName = score ?? SCORE_NAMES.find((name) => outputs.has(name));
    if (scoreName === undefined && drawn === null) {
      throw new KerfError(
        'INVALID_ARGUMENT',
        `the model has neither a mask nor a score; its outputs are ${[...outputs.keys()].join(', ')}: name one in task`,
      );
    }
    return {
      score:
        scoreName === undefined ? largestProbability(drawn as Tensor) : numberOf(outputs.get(scoreName), scoreName),
      scores: {},
      boxes: [],
      mask: drawn === null ? null : maskArea(maskRuns(drawn), geometry),
      doubt: null,
    };
  };
}

/** @throws {KerfError} TENSOR_MISMATCH for a tensor that is not there or holds more than one number. */
function numberOf(tensor: Tensor | undefined, name: string): number {
  if (tensor === undefined || tensor.dtype === 'string' || elementCount(tensor.shape) !== 1) {
    const found = tensor === undefined ? 'not there' : describeTensor(tensor);
    throw new KerfError('TENSOR_MISMATCH', `output '${name}' is ${found}: a score is one number`);
  }
  const value = Number(typedView(tensor)[0]);
  return tensor.dtype === 'float16' ? float16Value(value) : value;
}
