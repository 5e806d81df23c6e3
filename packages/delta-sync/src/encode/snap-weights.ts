// An old and a newly trained tensor -> the tensor on a grid around the old one that is nearest to the new one.
//
// What is published is the snapped tensor itself: every device gets the same bits, and the delta to it is a small whole
// number for each element. The next version is trained from the true weights and snapped against this one, so errors do not
// add up. Whether the step is fine enough, only the task can say.
import { KerfError } from '@kerf/protocol';

/** |q| stays below this, so that `step * q` is exact enough to be the same everywhere. */
const MAX_STEPS = 2 ** 24;

/**
 * @param old float32 elements of the version that devices have
 * @param fresh as many of the new one
 * @param step of the grid; the root mean square of the differences times 0.5 is a good beginning, see {@link rmsDifference}
 * @returns for each element `float32(old + step * q)`, at most about half a step from the new one; elements that are not
 *   finite, or too many steps away, are the new ones themselves
 * @throws {KerfError} INVALID_ARGUMENT when the lengths differ or the step is not a positive number.
 */
export function snapWeights(old: Float32Array, fresh: Float32Array, step: number): Float32Array<ArrayBuffer> {
  if (old.length !== fresh.length) {
    throw new KerfError('INVALID_ARGUMENT', `the old tensor has ${old.length} elements, the new one ${fresh.length}`);
  }
  if (!(step > 0 && Number.isFinite(step))) {
    throw new KerfError('INVALID_ARGUMENT', `the step of a grid must be a positive number, got ${step}`);
  }
  const snapped = new Float32Array(fresh.length);
  for (let at = 0; at < fresh.length; at++) {
    const before = old[at] as number;
    const after = fresh[at] as number;
    const steps = Math.round((after - before) / step);
    snapped[at] = Math.abs(steps) < MAX_STEPS ? before + step * steps : after;
  }
  return snapped;
}

/** Root mean square of the finite differences of two tensors; 0 when nothing moved. */
export function rmsDifference(old: Float32Array, fresh: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < fresh.length; at++) {
    const difference = (fresh[at] as number) - (old[at] as number);
    if (!Number.isFinite(difference)) continue;
    sum += difference * difference;
    count++;
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}
