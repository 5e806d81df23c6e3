// old + step * q, rounded to float32: a version of a tensor that lies on a grid around the one before.
//
// Doubles and one rounding to float32 are the same on every machine: product and sum are single IEEE operations.
import type { Correction } from '../format/operations.ts';
import { orderOf } from './differences.ts';

const FLIP = 0x7fff_ffff;

/** Moves single values by their order. */
export function correct(fresh: Float32Array, corrections: readonly Correction[]): void {
  const bits = new Int32Array(fresh.buffer, fresh.byteOffset, fresh.length);
  for (const { at, difference } of corrections) {
    bits[at] = orderOf((orderOf(bits[at] as number, FLIP) + difference) | 0, FLIP);
  }
}
