// Two tensors -> whether they are the same, bit for bit or within a tolerance.
import { type Tensor, typedView } from '@kerf/protocol';

/**
 * Whether dtype, shape and elements agree. Beyond bit-equality only float32 and float64 have a tolerance: the
 * difference may be `tolerance` times the larger of 1 and the value.
 */
export function tensorsAgree(a: Tensor, b: Tensor, tolerance: number): boolean {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  if (a.shape.some((size, axis) => size !== b.shape[axis])) return false;
  if (Buffer.compare(a.data, b.data) === 0) return true;
  if (tolerance === 0 || (a.dtype !== 'float32' && a.dtype !== 'float64')) return false;
  const left = typedView(a) as Float32Array | Float64Array;
  const right = typedView(b) as Float32Array | Float64Array;
  return left.every((value, index) => near(value, right[index] as number, tolerance));
}

function near(a: number, b: number, tolerance: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
}
