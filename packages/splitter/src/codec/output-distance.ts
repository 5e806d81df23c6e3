// The outputs of two runs -> how far they lie apart, as a smooth number that small errors move in proportion.
import { elementCount, float16Value, type Tensor, type TensorMap, typedView } from '@kerf/protocol';

/** Numbers that count things (classes, indices) are the same or not; all others have a distance. */
const COUNTED: readonly string[] = ['int32', 'int64', 'uint32', 'uint64', 'bool'];

/** Sum over outputs of |actual - expected|^2 / |expected|^2, each at most 1; of counted ones, the share that differs. */
export function outputDistance(expected: TensorMap, actual: TensorMap): number {
  let sum = 0;
  for (const [name, tensor] of expected) sum += tensorDistance(tensor, actual.get(name));
  return sum;
}

function tensorDistance(expected: Tensor, actual: Tensor | undefined): number {
  if (actual === undefined || actual.shape.some((size, axis) => size !== expected.shape[axis])) return 1;
  if (expected.dtype === 'string') return sameBytes(expected, actual) ? 0 : 1;
  const left = typedView(expected);
  const right = typedView(actual);
  const count = elementCount(expected.shape);
  const value = (raw: number | bigint): number =>
    expected.dtype === 'float16' ? float16Value(Number(raw)) : Number(raw);
  const isCounted = COUNTED.includes(expected.dtype);
  let difference = 0;
  let size = 0;
  for (let at = 0; at < Math.min(count, left.length, right.length); at++) {
    const from = left[at] as number | bigint;
    const to = right[at] as number | bigint;
    if (isCounted) {
      difference += from === to ? 0 : 1;
      size++;
      continue;
    }
    const wanted = value(from);
    const found = value(to);
    if (Number.isFinite(wanted)) size += wanted * wanted;
    if (!Object.is(wanted, found)) difference += (found - wanted) ** 2;
  }
  if (difference === 0) return 0;
  const distance = difference / size;
  return distance < 1 ? distance : 1;
}

function sameBytes({ data: left }: Tensor, { data: right }: Tensor): boolean {
  return left.byteLength === right.byteLength && left.every((byte, at) => byte === right[at]);
}
