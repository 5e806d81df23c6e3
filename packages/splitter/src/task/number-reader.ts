// A tensor of any type of numbers -> its elements as numbers.
import { float16Value, type Tensor, typedView } from '@kerf/protocol';

export function numberReader(tensor: Tensor): (at: number) => number {
  const view = typedView(tensor);
  if (tensor.dtype === 'float16') return (at) => float16Value(Number(view[at]));
  return (at) => Number(view[at]);
}
