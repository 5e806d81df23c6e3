// A tensor with no old one to lean on <-> one token stream a byte of its elements: the exponents of floats are alike, the
// last bits of their fractions are noise and go in as they are.
import type { ValueReaders, ValueWriters } from './differences.ts';

export interface PlaneLayout {
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** Floats are turned left by one bit: the sign goes to the end, and the top byte, mostly exponent, is near the ones before. */
  readonly isFloat: boolean;
}

const TOP_CONTEXTS = 256;
/** Behind the contexts of the top byte, one for each byte below. */
export const PLANE_CONTEXTS = TOP_CONTEXTS + 8;

/** Bit of `rawPlanes` for each byte, the least significant first: the byte is noise. */
export type RawPlanes = number;

export function encodePlanes(
  { tokens, raw }: ValueWriters,
  { elementBytes, isFloat }: PlaneLayout,
  rawPlanes: RawPlanes,
  bytes: Uint8Array,
  firstContext: number,
): void {
  const element = new Uint8Array(elementBytes);
  let near = 128 << 3;
  for (let at = 0; at < bytes.byteLength; at += elementBytes) {
    for (let byte = 0; byte < elementBytes; byte++) element[byte] = bytes[at + byte] as number;
    if (isFloat) turnLeft(element);
    for (let byte = 0; byte < elementBytes; byte++) {
      const value = element[byte] as number;
      if (((rawPlanes >> byte) & 1) === 1) raw.put(value, 8);
      else tokens.put(firstContext + contextOf(byte, elementBytes, isFloat, near), value);
    }
    near += (element[elementBytes - 1] as number) - (near >> 3);
  }
}

/** Fills `bytes`, whole elements. */
export function decodePlanes(
  { tokens, raw }: ValueReaders,
  { elementBytes, isFloat }: PlaneLayout,
  rawPlanes: RawPlanes,
  bytes: Uint8Array,
  firstContext: number,
): void {
  const element = new Uint8Array(elementBytes);
  let near = 128 << 3;
  for (let at = 0; at < bytes.byteLength; at += elementBytes) {
    for (let byte = 0; byte < elementBytes; byte++) {
      element[byte] =
        ((rawPlanes >> byte) & 1) === 1
          ? raw.take(8)
          : tokens.next(firstContext + contextOf(byte, elementBytes, isFloat, near));
    }
    near += (element[elementBytes - 1] as number) - (near >> 3);
    if (isFloat) turnRight(element);
    for (let byte = 0; byte < elementBytes; byte++) bytes[at + byte] = element[byte] as number;
  }
}

/** Mean of the last top bytes, about, for the top byte of floats; the place for all others. */
function contextOf(byte: number, elementBytes: number, isFloat: boolean, near: number): number {
  return isFloat && byte === elementBytes - 1 ? near >> 3 : TOP_CONTEXTS + byte;
}

function turnLeft(element: Uint8Array): void {
  const last = element.length - 1;
  const sign = (element[last] as number) >> 7;
  for (let byte = last; byte > 0; byte--) {
    element[byte] = ((element[byte] as number) << 1) | ((element[byte - 1] as number) >> 7);
  }
  element[0] = ((element[0] as number) << 1) | sign;
}

function turnRight(element: Uint8Array): void {
  const last = element.length - 1;
  const sign = (element[0] as number) & 1;
  for (let byte = 0; byte < last; byte++) {
    element[byte] = ((element[byte] as number) >> 1) | (((element[byte + 1] as number) & 1) << 7);
  }
  element[last] = ((element[last] as number) >> 1) | (sign << 7);
}

export interface PricedPlanes {
  /** Bytes of an element that no frequencies improve by at least a hundredth. */
  readonly rawPlanes: RawPlanes;
  /** What the tensor takes. */
  readonly bits: number;
  /** How often each byte occurs, by its place in an element; none for a raw one. */
  readonly counts: readonly Uint32Array[];
}

export function pricePlanes(bytes: Uint8Array, { elementBytes, isFloat }: PlaneLayout): PricedPlanes {
  const counts = Array.from({ length: elementBytes }, () => new Uint32Array(256));
  const element = new Uint8Array(elementBytes);
  const elements = bytes.byteLength / elementBytes;
  for (let at = 0; at < bytes.byteLength; at += elementBytes) {
    for (let byte = 0; byte < elementBytes; byte++) element[byte] = bytes[at + byte] as number;
    if (isFloat) turnLeft(element);
    for (const [byte, plane] of counts.entries())
      plane[element[byte] as number] = (plane[element[byte] as number] as number) + 1;
  }
  let rawPlanes = 0;
  let bits = 0;
  for (const [byte, plane] of counts.entries()) {
    let coded = elements * Math.log2(elements);
    let symbols = 0;
    for (const count of plane) {
      if (count === 0) continue;
      coded -= count * Math.log2(count);
      symbols++;
    }
    coded += symbols * 6;
    bits += Math.min(coded, elements * 8);
    if (coded <= elements * 8 * 0.99) continue;
    rawPlanes |= 1 << byte;
    plane.fill(0);
  }
  return { rawPlanes, bits, counts };
}
