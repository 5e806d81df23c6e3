// Two tensors that should be equal -> whether their bits are, and how far their values differ.
import { decodeStrings, elementCount, float16Value, type Tensor, typedView } from '@kerf/protocol';

export interface Tolerance {
  /** Differences up to `absolute + relative * |expected|` are accepted. */
  readonly relative: number;
  readonly absolute: number;
}

export interface Difference {
  readonly isBitEqual: boolean;
  /** Infinity where dtype or shape differ, or only one value is not a number. */
  readonly maxAbsolute: number;
  /** Largest |difference| / |expected|, over values beyond the absolute tolerance only; 0 if there is none. */
  readonly maxRelative: number;
  readonly isWithin: boolean;
}

const EQUAL: Difference = { isBitEqual: true, maxAbsolute: 0, maxRelative: 0, isWithin: true };
const APART: Difference = {
  isBitEqual: false,
  maxAbsolute: Number.POSITIVE_INFINITY,
  maxRelative: Number.POSITIVE_INFINITY,
  isWithin: false,
};

/** Compares in bits first: equal bits of a NaN are equal. */
export function compareTensors(expected: Tensor, actual: Tensor, tolerance: Tolerance): Difference {
  const sameShape =
    expected.dtype === actual.dtype &&
    expected.shape.length === actual.shape.length &&
    expected.shape.every((size, axis) => size === actual.shape[axis]);
  if (!sameShape) return APART;
  if (sameBytes(expected.data, actual.data)) return EQUAL;
  if (expected.dtype === 'string' || expected.dtype === 'int4' || expected.dtype === 'uint4') {
    return sameStrings(expected, actual) ? EQUAL : APART;
  }
  return compareNumbers(elementCount(expected.shape), numbersOf(expected), numbersOf(actual), tolerance);
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.byteLength !== right.byteLength) return false;
  for (let at = 0; at < left.byteLength; at++) if (left[at] !== right[at]) return false;
  return true;
}

function sameStrings(expected: Tensor, actual: Tensor): boolean {
  if (expected.dtype !== 'string') return false;
  const count = elementCount(expected.shape);
  const right = decodeStrings(actual.data, count);
  return decodeStrings(expected.data, count).every((value, at) => value === right[at]);
}

function numbersOf(tensor: Tensor): (at: number) => number {
  const view = typedView(tensor);
  if (tensor.dtype === 'float16') return (at) => float16Value(Number(view[at]));
  return (at) => Number(view[at]);
}

function compareNumbers(
  count: number,
  expected: (at: number) => number,
  actual: (at: number) => number,
  tolerance: Tolerance,
): Difference {
  let maxAbsolute = 0;
  let maxRelative = 0;
  let isWithin = true;
  for (let at = 0; at < count; at++) {
    const left = expected(at);
    const right = actual(at);
    if (Object.is(left, right) || left === right) continue;
    const difference = Number.isNaN(left) || Number.isNaN(right) ? Number.POSITIVE_INFINITY : Math.abs(left - right);
    maxAbsolute = Math.max(maxAbsolute, difference);
    if (difference > tolerance.absolute) {
      maxRelative = Math.max(maxRelative, left === 0 ? Number.POSITIVE_INFINITY : difference / Math.abs(left));
    }
    if (!(difference <= tolerance.absolute + tolerance.relative * Math.abs(left))) isWithin = false;
  }
  return { isBitEqual: false, maxAbsolute, maxRelative, isWithin };
}
