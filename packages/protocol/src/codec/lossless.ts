// The bytes of any tensor of numbers <-> fewer bytes that give every bit back.
//
// The first byte of every element makes one plane, the second another, and so on: the exponents of floats are alike, the
// last bits of their fractions are noise. Exact zeros of floats, which a ReLU makes many of, are a bitmap instead.
import { DTYPE_BITS, type DType } from '../tensor.ts';
import { ByteSink, ByteSource, damagedPayload } from './byte-sink.ts';
import { decodePlane, encodePlane } from './plane-coder.ts';

/** First byte of the payload. */
const FORM = { planes: 0, withoutZeros: 1 } as const;

/** With fewer zeros the bitmap takes more than it saves. */
const LEAST_ZEROS = 1 / 32;

/** What the coder must know of a tensor; it is not in the payload. */
export interface PlaneLayout {
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** How a picture lies in the tensor: the size of its last axis above 1. */
  readonly rowElements: number;
  readonly isFloat: boolean;
}

/** Two 4-bit elements share a byte, which counts as one element here. */
export function planeLayout(dtype: Exclude<DType, 'string'>, shape: readonly number[]): PlaneLayout {
  const elementBytes = Math.max(1, DTYPE_BITS[dtype] / 8) as PlaneLayout['elementBytes'];
  const width = shape.findLast((size) => size > 1) ?? 1;
  const rowElements = DTYPE_BITS[dtype] === 4 ? Math.ceil(width / 2) : width;
  return { elementBytes, rowElements, isFloat: dtype.startsWith('float') };
}

/** @param data whole elements */
export function encodeLossless(data: Uint8Array, layout: PlaneLayout): Uint8Array {
  const { elementBytes, isFloat } = layout;
  const sink = new ByteSink(data.byteLength >> 1);
  const kept = isFloat ? nonZeroElements(data, elementBytes) : null;
  if (kept === null) {
    sink.byte(FORM.planes);
  } else {
    sink.byte(FORM.withoutZeros);
    encodePlane(kept.bitmap, 0, sink);
  }
  const elements = kept?.elements ?? data;
  const rowBytes = isFloat ? 0 : layout.rowElements;
  for (const plane of planesOf(elements, layout)) encodePlane(plane, rowBytes, sink);
  return sink.written();
}

/**
 * @param byteLength of the data, which the caller has bounded
 * @throws {KerfError} MESSAGE_MALFORMED.
 */
export function decodeLossless(bytes: Uint8Array, byteLength: number, layout: PlaneLayout): Uint8Array {
  const { elementBytes, isFloat } = layout;
  const source = new ByteSource(bytes);
  const form = source.byte();
  const count = byteLength / elementBytes;
  const data = new Uint8Array(byteLength);
  if (form === FORM.planes) {
    readPlanes(source, count, isFloat ? 0 : layout.rowElements, layout, data);
  } else if (form === FORM.withoutZeros && isFloat) {
    const bitmap = new Uint8Array(Math.ceil(count / 8));
    decodePlane(source, 0, bitmap);
    const elements = new Uint8Array(countBits(bitmap, count) * elementBytes);
    readPlanes(source, elements.byteLength / elementBytes, 0, layout, elements);
    spread(elements, bitmap, elementBytes, data);
  } else {
    throw damagedPayload(`it has the unknown form ${form}`);
  }
  source.end();
  return data;
}

interface KeptElements {
  /** A bit for each element, the first in the lowest bit; 1: it is kept. */
  readonly bitmap: Uint8Array;
  readonly elements: Uint8Array;
}

/** Null when too few elements are exact zeros (all bits 0) for this to pay. */
function nonZeroElements(data: Uint8Array, elementBytes: number): KeptElements | null {
  const words = wordsOf(data, elementBytes);
  const perElement = elementBytes === 8 ? 2 : 1;
  const count = words.length / perElement;
  const bitmap = new Uint8Array(Math.ceil(count / 8));
  const kept = words.slice();
  let at = 0;
  for (let index = 0; index < count; index++) {
    const word = words[index * perElement] as number;
    const next = perElement === 2 ? (words[index * 2 + 1] as number) : 0;
    if ((word | next) === 0) continue;
    bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
    kept[at++] = word;
    if (perElement === 2) kept[at++] = next;
  }
  if (at > words.length * (1 - LEAST_ZEROS)) return null;
  return { bitmap, elements: new Uint8Array(kept.buffer, 0, at * kept.BYTES_PER_ELEMENT) };
}

function spread(elements: Uint8Array, bitmap: Uint8Array, elementBytes: number, data: Uint8Array): void {
  const from = wordsOf(elements, elementBytes);
  const to = wordsOf(data, elementBytes);
  const perElement = elementBytes === 8 ? 2 : 1;
  const count = to.length / perElement;
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (((bitmap[index >> 3] as number) & (1 << (index & 7))) === 0) continue;
    to[index * perElement] = from[at++] as number;
    if (perElement === 2) to[index * 2 + 1] = from[at++] as number;
  }
}

/** @throws {KerfError} MESSAGE_MALFORMED when bits beyond the last element are set: one tensor, one bitmap. */
function countBits(bitmap: Uint8Array, count: number): number {
  let bits = 0;
  for (let at = 0; at < bitmap.length; at++) {
    for (let byte = bitmap[at] as number; byte !== 0; byte &= byte - 1) bits++;
  }
  if (count % 8 !== 0 && (bitmap.at(-1) as number) >> (count % 8) !== 0) throw damagedPayload('a bitmap is too long');
  return bits;
}

/** Floats as unsigned words, halves of a float64 one after the other. A view where the bytes are aligned, else a copy. */
function wordsOf(data: Uint8Array, elementBytes: number): Uint16Array | Uint32Array {
  const size = elementBytes === 2 ? 2 : 4;
  const aligned = data.byteOffset % size === 0 ? data : new Uint8Array(data);
  const { buffer, byteOffset } = aligned;
  return size === 2
    ? new Uint16Array(buffer, byteOffset, data.byteLength / 2)
    : new Uint32Array(buffer, byteOffset, data.byteLength / 4);
}

/** Least significant byte first. A float32 is turned left by one bit before, so that its exponent is a byte of its own. */
function planesOf(elements: Uint8Array, { elementBytes, isFloat }: PlaneLayout): Uint8Array[] {
  if (elementBytes === 1) return [elements];
  const count = elements.byteLength / elementBytes;
  const planes = Array.from({ length: elementBytes }, () => new Uint8Array(count));
  if (elementBytes === 4) {
    divideWords(wordsOf(elements, 4), isFloat ? 1 : 0, planes);
    return planes;
  }
  for (const [byte, plane] of planes.entries()) {
    for (let index = 0, from = byte; index < count; index++, from += elementBytes) {
      plane[index] = elements[from] as number;
    }
  }
  return planes;
}

function divideWords(words: Uint16Array | Uint32Array, turn: number, planes: readonly Uint8Array[]): void {
  const [lowest, lower, higher, highest] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const back = (32 - turn) & 31;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as number;
    const turned = turn === 0 ? word : (word << turn) | (word >>> back);
    lowest[index] = turned;
    lower[index] = turned >>> 8;
    higher[index] = turned >>> 16;
    highest[index] = turned >>> 24;
  }
}

/** Fills `data` with `count` elements. */
function readPlanes(
  source: ByteSource,
  count: number,
  rowBytes: number,
  { elementBytes, isFloat }: PlaneLayout,
  data: Uint8Array,
): void {
  if (elementBytes === 1) {
    decodePlane(source, rowBytes, data);
    return;
  }
  const plane = new Uint8Array(count);
  const words = elementBytes === 4 ? wordsOf(data, 4) : null;
  for (let byte = 0; byte < elementBytes; byte++) {
    decodePlane(source, rowBytes, plane);
    if (words !== null) {
      const shift = 8 * byte;
      for (let index = 0; index < count; index++) {
        words[index] = (words[index] as number) | ((plane[index] as number) << shift);
      }
    } else {
      for (let index = 0, to = byte; index < count; index++, to += elementBytes) data[to] = plane[index] as number;
    }
  }
  if (words === null || !isFloat) return;
  for (let index = 0; index < count; index++) {
    const word = words[index] as number;
    words[index] = (word >>> 1) | (word << 31);
  }
}
