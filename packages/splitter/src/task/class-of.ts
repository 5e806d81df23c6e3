// The scores of the classes of one sample, or the index of its class -> that index.
import { describeTensor, elementCount, KerfError, type Tensor } from '@kerf/protocol';
import { numberReader } from './number-reader.ts';

/**
 * @param tensor one row of scores, as `float32[1, classes]`; or one whole number, which is the index already
 * @returns index of the largest score, the first of several; -1 when all are NaN.
 * @throws {KerfError} INVALID_ARGUMENT for anything else: of a batch, a map of classes, or a single score no class can be told.
 */
export function classOf(tensor: Tensor): number {
  const count = elementCount(tensor.shape);
  const at = numberReader(tensor);
  const isFloat = tensor.dtype.startsWith('float');
  if (count === 1 && !isFloat) return at(0);
  if (count < 2 || tensor.shape.filter((size) => size > 1).length > 1) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `${describeTensor(tensor)} is not the scores of the classes of one sample, nor the index of its class; name another output`,
    );
  }
  let best = -1;
  for (let index = 0; index < count; index++)
    if (at(index) > (best < 0 ? Number.NEGATIVE_INFINITY : at(best))) best = index;
  return best;
}
