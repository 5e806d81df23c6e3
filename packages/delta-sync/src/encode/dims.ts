// The shape of a tensor, such as `float32[64, 3, 3]` -> its dimensions.
import type { TensorRange } from './source-files.ts';

export function dimsOf({ shape }: Pick<TensorRange, 'shape'>): number[] {
  return (shape.match(/\d+(?=[,\]])/g) ?? []).map(Number);
}
