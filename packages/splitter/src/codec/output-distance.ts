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
 * Whether a sample counts by its own size, so that all count alike, or by what is in its outputs: a mask of nothing but
 * noise for as little as there is in it. Which of the two makes levels that lose less differs between cuts.
 */
export const WEIGHINGS = ['each', 'together'] as const;
export type Weighing = (typeof WEIGHINGS)[number];

/** Sum over outputs of |actual - expected|^2 / |expected|^2, each at most 1; of counted ones, the share that differs. */
export class OutputDistance {
  readonly #outputs = new Map<string, Sums>();
  #ofEach = 0;

  add(expected: TensorMap, actual: TensorMap): void {
    for (const [name, tensor] of expected) {
      const sums = tensorSums(tensor, actual.get(name));
      this.#ofEach += shareOf(sums);
      const so = this.#outputs.get(name) ?? { difference: 0, size: 0 };
      this.#outputs.set(name, { difference: so.difference + sums.difference, size: so.size + sums.size });
    }
  }

  /** Sum of the distances of each sample, or the distance of all samples as if they were one. */
  by(weighing: Weighing): number {
    return weighing === 'each' ? this.#ofEach : [...this.#outputs.values()].reduce((sum, so) => sum + shareOf(so), 0);
  }
}

function shareOf({ difference, size }: Sums): number {
  if (difference === 0) return 0;
  return difference < size ? difference / size : 1;
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
