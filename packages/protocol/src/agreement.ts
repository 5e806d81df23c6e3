// Two tensors -> how far one is off the other: for self-tests, golden samples and trials of batches.
import { float16Value } from './codec/float16.ts';
import { type Tensor, typedView } from './tensor.ts';

/** Two numbers a and b agree when |a - b| <= absolute + relative * |a|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Share of quantised values that may be one step off: rounding the wrong way changes half of them. */
const STEPPED = 0.25;

/**
 * How far the worst element lies beyond the tolerance; 0 when all agree, infinity for another dtype or shape and for a NaN
 * on one side only. Floats have the tolerance. int8 and uint8 are quantised values: where there is a tolerance at all, a
 * quarter of them may be one step off, since a value between two steps goes to either. Every other dtype must be equal.
 */
export function disagreement(wanted: Tensor, got: Tensor, tolerance: Tolerance): number {
  if (!sameKind(wanted, got)) return Number.POSITIVE_INFINITY;
  if (wanted.dtype === 'string') return sameBytes(wanted, got) ? 0 : Number.POSITIVE_INFINITY;
  const { absolute, relative } = allowed(wanted, tolerance);
  const quantised = absolute > 0 && isQuantised(wanted);
  const [expected, found] = [numbersOf(wanted), numbersOf(got)];
  let worst = 0;
  let steps = 0;
  for (let at = 0; at < expected.length; at++) {
    const [a, b] = [expected[at] as number, found[at] as number];
    if (Object.is(a, b) || a === b) continue;
    if (quantised && ++steps > expected.length * STEPPED) return 1;
    const off = Math.abs(a - b) - absolute - relative * Math.abs(a);
    worst = Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
  }
  return worst;
}

/**
 * Mean distance of the elements as a share of the range of `wanted` (of 1 where it has none); infinity for another dtype or
 * shape and where one side is not finite and the other is something else.
 */
export function meanDistance(wanted: Tensor, got: Tensor): number {
  if (!sameKind(wanted, got)) return Number.POSITIVE_INFINITY;
  if (wanted.dtype === 'string') return sameBytes(wanted, got) ? 0 : 1;
  const [expected, found] = [numbersOf(wanted), numbersOf(got)];
  let [low, high, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let at = 0; at < expected.length; at++) {
    const [a, b] = [expected[at] as number, found[at] as number];
    if (Number.isFinite(a)) [low, high] = [Math.min(low, a), Math.max(high, a)];
    if (Object.is(a, b) || a === b) continue;
    const off = Math.abs(a - b);
    sum += Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
  }
  return sum / Math.max(1, expected.length) / (high > low ? high - low : 1);
}

function sameKind(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && a.shape.join() === b.shape.join();
}

function allowed(tensor: Tensor, { absolute, relative }: Tolerance): Tolerance {
  if (tensor.dtype === 'float32' || tensor.dtype === 'float64' || tensor.dtype === 'float16')
    return { absolute, relative };
  return { absolute: isQuantised(tensor) && absolute + relative > 0 ? 1 : 0, relative: 0 };
}

function isQuantised({ dtype }: Tensor): boolean {
  return dtype === 'int8' || dtype === 'uint8';
}

function numbersOf(tensor: Tensor): ArrayLike<number> {
  const view = typedView(tensor);
  if (tensor.dtype === 'float16') return Float64Array.from(view as Uint16Array, float16Value);
  // Exact up to 2^53; beyond that two numbers that differ by one may count as equal.
  return view instanceof BigInt64Array || view instanceof BigUint64Array ? Float64Array.from(view, Number) : view;
}

function sameBytes(a: Tensor, b: Tensor): boolean {
  return a.data.byteLength === b.data.byteLength && a.data.every((byte, index) => byte === b.data[index]);
}
