// A tensor of any numbers -> its elements as numbers, by their places.
import { describeTensor, float16Value, KerfError, type Tensor, typedView } from '@kerf/protocol';

/** @throws {KerfError} TENSOR_MISMATCH for texts. */
export function numbersOf(tensor: Tensor): ArrayLike<number> {
  if (tensor.dtype === 'string') throw new KerfError('TENSOR_MISMATCH', `${describeTensor(tensor)} holds no numbers`);
  const view = typedView(tensor);
  if (view instanceof BigInt64Array || view instanceof BigUint64Array) return Float64Array.from(view, Number);
  return tensor.dtype === 'float16' ? Float32Array.from(view, float16Value) : view;
}
