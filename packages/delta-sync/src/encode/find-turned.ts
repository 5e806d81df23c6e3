// An old tensor and a new one, the same or trained further -> the order of axes in which they are alike, where it is another one.
import type { ByteReader } from '../byte-reader.ts';
import { valuesOf } from '../codec/derive.ts';
import { runsOf, type Turn } from '../codec/turn.ts';
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_AXES } from '../format/limits.ts';
import { dimsOf } from './dims.ts';
import { ordersOf } from './find-transposed.ts';
import type { PlacedTensor } from './place-tensors.ts';

/** Elements that are looked at, from all over the tensor. */
const GLANCES = 512;
/** What is further from the old elements than this share of their size is not alike: others are as far as 1.4. */
const ALIKE = 0.7;
/** With fewer, telling an order would take more than it saves. */
const LEAST_ELEMENTS = 256;

/** @param readers of the bytes of either tensor */
export async function findTurned(
  old: PlacedTensor,
  fresh: PlacedTensor,
  readers: { readonly old: ByteReader; readonly fresh: ByteReader },
): Promise<Turn | null> {
  const [dims, wanted] = [dimsOf(old), dimsOf(fresh)];
  const kind = ELEMENT_KINDS[fresh.kind] as ElementKind;
  const count = dims.reduce((product, size) => product * size, 1);
  const isTensor = dims.length >= 2 && dims.length <= MAX_AXES && dims.length === wanted.length;
  if (!isTensor || kind.bits < 8 || old.kind !== fresh.kind || count < LEAST_ELEMENTS) return null;
  if (count * kind.bits !== 8 * fresh.bytes) return null;
  const orders = ordersOf(dims.length).filter((axes) => axes.every((axis, at) => dims[axis] === wanted[at]));
  if (orders.length === 0) return null;
  const places = Array.from({ length: GLANCES }, (_, glance) => Math.floor(((glance + 0.5) * count) / GLANCES));
  const after = await valuesAt(readers.fresh, kind, places);
  const distanceBy = async (from: (at: number) => number): Promise<number> =>
    distance(await valuesAt(readers.old, kind, places.map(from)), after);
  let best: { turn: Turn; distance: number } | null = null;
  const most = Math.min(ALIKE, await distanceBy((at) => at));
  for (const axes of orders) {
    const { bytes, from } = runsOf({ dims, axes }, 1);
    const found = await distanceBy((at) => from(Math.floor(at / bytes)) + (at % bytes));
    if (found < (best?.distance ?? most)) best = { turn: { dims, axes }, distance: found };
  }
  return best?.turn ?? null;
}

async function valuesAt(reader: ByteReader, kind: ElementKind, places: readonly number[]): Promise<number[]> {
  const size = kind.bits / 8;
  const values: number[] = [];
  for (const at of places) {
    values.push(valuesOf(await reader.read(at * size, size), kind, false, 1)[0] as number);
  }
  return values;
}

/** Of new elements from the old ones, as a share of what both are. */
function distance(before: readonly number[], after: readonly number[]): number {
  let apart = 0;
  let size = 0;
  for (const [at, right] of after.entries()) {
    const left = before[at] as number;
    apart += Math.abs(left - right);
    size += (Math.abs(left) + Math.abs(right)) / 2;
  }
  return size > 0 ? apart / size : 0;
}
