// Outputs of runs, two and two -> how far they lie apart, as a smooth number that small errors move in proportion.
import { elementCount, float16Value, type Tensor, type TensorMap, typedView } from '@kerf/protocol';

/** Numbers that count things (classes, indices) are the same or not; all others have a distance. */
const COUNTED: readonly string[] = ['int32', 'int64', 'uint32', 'uint64', 'bool'];

interface Sums {
  readonly difference: number;
  /** What the difference is measured by. */
  readonly size: number;
}

/**
 * Sum over outputs of |actual - expected|^2 / |expected|^2, each at most 1; of counted ones, the share that differs. Both
 * squares are taken over all samples together: what a sample with little in its outputs says of them is as little.
 */
export class OutputDistance {
  readonly #outputs = new Map<string, Sums>();

  add(expected: TensorMap, actual: TensorMap): void {
    for (const [name, tensor] of expected) {
      const { difference, size } = tensorSums(tensor, actual.get(name));
      const so = this.#outputs.get(name) ?? { difference: 0, size: 0 };
      this.#outputs.set(name, { difference: so.difference + difference, size: so.size + size });
    }
  }

  /** 0 of nothing. */
  get value(): number {
    let sum = 0;
    for (const { difference, size } of this.#outputs.values()) {
      if (difference > 0) sum += difference < size ? difference / size : 1;
    }
    return sum;
  }
}

function tensorSums(expected: Tensor, actual: Tensor | undefined): Sums {
  const isAlike = actual !== undefined && actual.shape.every((size, axis) => size === expected.shape[axis]);
  if (expected.dtype === 'string') return { difference: isAlike && hasSameBytes(expected, actual) ? 0 : 1, size: 1 };
  const left = typedView(expected);
  const right = isAlike ? typedView(actual) : left;
  const count = Math.min(elementCount(expected.shape), left.length, right.length);
  const isCounted = COUNTED.includes(expected.dtype);
  const value = (raw: number | bigint): number =>
    expected.dtype === 'float16' ? float16Value(Number(raw)) : Number(raw);
  let difference = 0;
  let size = 0;
  for (let at = 0; at < count; at++) {
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
  // As far as outputs get: another shape, or what is no number.
  return isAlike && Number.isFinite(difference) ? { difference, size } : { difference: size || 1, size: size || 1 };
}

function hasSameBytes({ data: left }: Tensor, { data: right }: Tensor): boolean {
  return left.byteLength === right.byteLength && left.every((byte, at) => byte === right[at]);
}
