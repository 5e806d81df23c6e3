// Copies one behind the other -> the bits that telling where each comes from takes.
import type { BaseRange } from '../format/operations.ts';

/** A number is told by its length and the bits below its highest: so many of them by odds, the rest as they are. */
const TOLD_BITS = 3;
/** What else a copy takes once the odds of its code and its bytes are known. */
const COPY_BITS = 0.1;
/** What learning the odds of one more code takes. */
const LEARNT_BITS = 12;

/** An estimate: odds that are learnt are taken as known, and paid for with some bits each. */
export function copiesBits(copies: readonly BaseRange[]): number {
  const counts = new Map<number, number>();
  let bits = copies.length * COPY_BITS;
  let end = copies[0]?.offset ?? 0;
  for (const { offset, bytes } of copies) {
    const shift = offset - end;
    end = offset + bytes;
    const number = shift < 0 ? -2 * shift - 1 : 2 * shift;
    const length = number === 0 ? 0 : Math.floor(Math.log2(number)) + 1;
    const rest = Math.max(0, length - 1 - TOLD_BITS);
    bits += rest;
    const told = Math.floor(number / 2 ** rest) + length * 2 ** (TOLD_BITS + 1);
    counts.set(told, (counts.get(told) ?? 0) + 1);
  }
  for (const count of counts.values()) bits += count * Math.log2(copies.length / count) + LEARNT_BITS;
  return bits;
}
