// A double <-> its four 16-bit parts in the control stream, the highest first.
import type { BitDecoder, BitEncoder } from '../coder/bit-coder.ts';
import { decodeNumber, encodeNumber, type NumberOdds } from '../coder/number-coder.ts';
import { damaged } from '../damaged.ts';
import { ROLE } from './operation-roles.ts';

export function writeDouble(coder: BitEncoder, odds: NumberOdds, value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  for (let at = 0; at < 8; at += 2) encodeNumber(coder, odds, ROLE.double, view.getUint16(at));
}

/** @throws {KerfError} DELTA_MALFORMED when it is not finite. */
export function readDouble(coder: BitDecoder, odds: NumberOdds): number {
  const view = new DataView(new ArrayBuffer(8));
  for (let at = 0; at < 8; at += 2) view.setUint16(at, decodeNumber(coder, odds, ROLE.double, 0xffff));
  const value = view.getFloat64(0);
  if (!Number.isFinite(value)) throw damaged('a step or scale is not finite');
  return value;
}
