// Bytes -> how they are best told as steps: each element by how far it is from the one a stride in front of it. Curves, sounds,
// pictures and tables of positions go on smoothly.
import { pricePlanes } from '../codec/planes.ts';
import { textToAccumulate } from '../codec/sums.ts';
import type { CumulativeOperation } from '../format/operations.ts';
import { textBits } from './text-price.ts';

export type StepLayout = Pick<CumulativeOperation, 'elementBytes' | 'stride'>;

/** From the middle of the bytes, and what of it is behind the first stride. */
const GLANCE_BYTES = 32 * 1024;
/** Of what takes least otherwise: frequencies say less of steps than a text of them. */
const LIKELY = 1.2;
/** What must be saved, or devices that do not know the operation could read the delta. */
const LEAST_SAVED_BITS = 8 * 64;
const LEAST_BITS = 8 * 512;

/** The layout that takes least, where that is less than `most`. */
export function findStride(
  fresh: Uint8Array,
  layouts: readonly StepLayout[],
  most: number,
): { readonly layout: StepLayout; readonly bits: number } | null {
  if (most < LEAST_BITS) return null;
  let best: { layout: StepLayout; price: number } | null = null;
  for (const layout of layouts) {
    const price = priceOf(fresh, layout);
    if (price < (best?.price ?? most * LIKELY)) best = { layout, price };
  }
  if (best === null) return null;
  const { elementBytes, stride } = best.layout;
  const bits = textBits(textToAccumulate(fresh, elementBytes, stride), new Uint8Array(0), most, false, 3);
  return bits === null || bits + LEAST_SAVED_BITS > most ? null : { layout: best.layout, bits };
}

/** By the frequencies of each byte of a step. */
function priceOf(fresh: Uint8Array, { elementBytes, stride }: StepLayout): number {
  const first = stride * elementBytes;
  if (fresh.byteLength % elementBytes !== 0 || fresh.byteLength < 2 * first) return Number.POSITIVE_INFINITY;
  const size = Math.min(fresh.byteLength, GLANCE_BYTES + first);
  const from = Math.floor((fresh.byteLength - size) / 2 / elementBytes) * elementBytes;
  const steps = textToAccumulate(fresh.subarray(from, from + size), elementBytes, stride).subarray(first);
  return (pricePlanes(steps, { elementBytes, isFloat: false }).bits * fresh.byteLength) / steps.byteLength;
}
