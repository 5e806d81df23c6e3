// An old tensor and a new one of other dimensions -> where each run of the new one's elements stands in the old one, where the
// new one is the old one with its axes in another order: exporters turn matrices over, and channels from last to first.
import { type Runs, runsOf } from '../codec/turn.ts';
import { MAX_AXES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import { dimsOf } from './dims.ts';
import type { PlacedTensor } from './place-tensors.ts';

/** Elements that are looked at before all are. */
const GLANCES = 64;
/** Each run takes a copy of its own. */
const MAX_RUNS = 1024 * 1024;

/** Runs in the order of the new elements, by their place in the base; null where no order of axes gives the new tensor. */
export function findTransposed(
  old: PlacedTensor,
  oldBytes: Uint8Array,
  fresh: PlacedTensor,
  freshBytes: Uint8Array,
): BaseRange[] | null {
  const dims = dimsOf(old);
  const wanted = dimsOf(fresh);
  const elementBytes = fresh.bytes / wanted.reduce((product, size) => product * size, 1);
  if (dims.length !== wanted.length || dims.length < 2 || dims.length > MAX_AXES) return null;
  if (old.bytes !== fresh.bytes || !Number.isInteger(elementBytes)) return null;
  for (const axes of ordersOf(dims.length)) {
    if (axes.some((axis, at) => dims[axis] !== wanted[at])) continue;
    const runs = runsOf({ dims, axes }, elementBytes);
    if (runs.count > MAX_RUNS || !isSame(runs, oldBytes, freshBytes)) continue;
    return Array.from({ length: runs.count }, (_, run) => ({ offset: old.place + runs.from(run), bytes: runs.bytes }));
  }
  return null;
}

/** All orders of so many axes but their own. */
export function ordersOf(rank: number): number[][] {
  const longer = (order: number[]): number[][] =>
    order.length === rank
      ? [order]
      : Array.from({ length: rank }, (_, axis) => axis).flatMap((axis) =>
          order.includes(axis) ? [] : longer([...order, axis]),
        );
  return longer([]).filter((order) => order.some((axis, at) => axis !== at));
}

function isSame({ count, bytes, from }: Runs, old: Uint8Array, fresh: Uint8Array): boolean {
  const isRun = (run: number): boolean => {
    const [at, start] = [from(run), run * bytes];
    for (let byte = 0; byte < bytes; byte++) if (old[at + byte] !== fresh[start + byte]) return false;
    return true;
  };
  const step = Math.ceil(count / GLANCES);
  for (let run = 0; run < count; run += step) if (!isRun(run)) return false;
  for (let run = 0; run < count; run++) if (!isRun(run)) return false;
  return true;
}
