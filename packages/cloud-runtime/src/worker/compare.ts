// Two tensors -> whether they are the same, bit for bit or within a tolerance.
import { disagreement, type Tensor } from '@kerf/protocol';

/**
 * Whether dtype, shape and elements agree: bit for bit, or with a tolerance as `disagreement` of @kerf/protocol says, absolute
 * or relative to the value.
 */
export function tensorsAgree(a: Tensor, b: Tensor, tolerance: number): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  if (Buffer.compare(a.data, b.data) === 0) return true;
  return tolerance > 0 && disagreement(a, b, { absolute: tolerance, relative: tolerance }) === 0;
}
