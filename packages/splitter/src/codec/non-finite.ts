// A float32 tensor -> how many of its values are NaN or infinite.
import { type Tensor, typedView } from '@kerf/protocol';

export function countNonFinite(tensor: Tensor): number {
  let count = 0;
  for (const value of typedView(tensor as Tensor & { dtype: 'float32' })) if (!Number.isFinite(value)) count++;
  return count;
}
