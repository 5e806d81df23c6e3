// An old tensor and a new one of the same dimensions -> where each run of the new one's elements stands in the old one, where the
// new one is the old one with the slices of some axes in another order: channels that were sorted, kernels that were turned
// round, heads that another library lays out otherwise.
import type { BaseRange } from '../format/operations.ts';

/** An axis in the new tensor: `order[at]` is the place in the old one. */
interface Axis {
  readonly order: Int32Array;
  readonly stride: number;
}

const MAX_RANK = 4;
/** Of a larger tensor no other order is looked for. */
const MAX_ELEMENTS = 4 * 1024 * 1024;
/** Each run takes a copy of its own. */
const MAX_RUNS = 1024 * 1024;

/**
 * Runs in the order of the new elements, as offsets into the old ones; null where no order of slices gives the new tensor.
 * @param dims of both, none of them 0
 */
export function findPermuted(
  dims: readonly number[],
  elementBytes: number,
  old: Uint8Array,
  fresh: Uint8Array,
): BaseRange[] | null {
  if (dims.length < 1 || dims.length > MAX_RANK || fresh.byteLength / elementBytes > MAX_ELEMENTS) return null;
  const [before, after] = [hashesOf(old, elementBytes), hashesOf(fresh, elementBytes)];
  if (sumOf(before) !== sumOf(after)) return null;
  const axes: Axis[] = [];
  let stride = before.length;
  for (const size of dims) {
    stride /= size;
    const order = orderOf(sliceSums(before, size, stride), sliceSums(after, size, stride));
    if (order === null) return null;
    axes.push({ order, stride });
  }
  return runsOf(axes, elementBytes, old, fresh);
}

/** Of each element's bytes. */
function hashesOf(bytes: Uint8Array, elementBytes: number): Int32Array {
  const hashes = new Int32Array(bytes.byteLength / elementBytes);
  for (let at = 0, from = 0; at < hashes.length; at++) {
    let hash = 0;
    for (const end = from + elementBytes; from < end; from++) hash = Math.imul(hash ^ (bytes[from] as number), FACTOR);
    hashes[at] = Math.imul(hash ^ (hash >>> 15), SPREAD);
  }
  return hashes;
}

const FACTOR = 0x0100_0193;
const SPREAD = 0x9e37_79b1;

/** The same for elements in any order. */
function sumOf(hashes: Int32Array): number {
  let sum = 0;
  for (const hash of hashes) sum = (sum + hash) | 0;
  return sum;
}

/** Of each slice across an axis: the same for its elements in any order. */
function sliceSums(hashes: Int32Array, size: number, stride: number): Int32Array {
  const sums = new Int32Array(size);
  for (let at = 0, slice = 0; at < hashes.length; slice = slice + 1 === size ? 0 : slice + 1) {
    let sum = sums[slice] as number;
    for (const end = at + stride; at < end; at++) sum = (sum + (hashes[at] as number)) | 0;
    sums[slice] = sum;
  }
  return sums;
}

/** For each new slice an old one of the same sum, the first of several that is left; null where one has none. */
function orderOf(before: Int32Array, after: Int32Array): Int32Array | null {
  const places = new Map<number, number[]>();
  for (let at = before.length - 1; at >= 0; at--) {
    const sum = before[at] as number;
    const known = places.get(sum);
    if (known === undefined) places.set(sum, [at]);
    else known.push(at);
  }
  const order = new Int32Array(after.length);
  for (const [at, sum] of after.entries()) {
    const place = places.get(sum)?.pop();
    if (place === undefined) return null;
    order[at] = place;
  }
  return order;
}

/** Runs that touch in the old bytes as well are one; null where a byte is another, or there are too many. */
function runsOf(axes: readonly Axis[], elementBytes: number, old: Uint8Array, fresh: Uint8Array): BaseRange[] | null {
  const inner = axes.findLastIndex(({ order }) => order.some((place, at) => place !== at));
  if (inner < 0) return null;
  const bytes = (axes[inner] as Axis).stride * elementBytes;
  const runs: { offset: number; bytes: number }[] = [];
  for (let to = 0; to < fresh.byteLength; to += bytes) {
    const from = placeOf(to / elementBytes, axes) * elementBytes;
    for (let byte = 0; byte < bytes; byte++) if (old[from + byte] !== fresh[to + byte]) return null;
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.bytes === from) last.bytes += bytes;
    else if (runs.length === MAX_RUNS) return null;
    else runs.push({ offset: from, bytes });
  }
  return runs;
}

/** Of an element of the new tensor, in the old one. */
function placeOf(element: number, axes: readonly Axis[]): number {
  let place = 0;
  let left = element;
  for (const { order, stride } of axes) {
    const at = Math.floor(left / stride);
    place += (order[at] as number) * stride;
    left -= at * stride;
  }
  return place;
}
