// The bytes of a tensor, piece by piece -> a few of its elements, coarsely: whether another tensor is likely to be an earlier
// version of it, whatever its name.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import type { TensorRange } from './source-files.ts';

/** Elements that are looked at, from all over a tensor. Smaller tensors have no sketch. */
export const SKETCH_ELEMENTS = 64;

/** Of a float its sign and exponent, of an integer its four highest bits. */
export type Sketch = Uint16Array;

export class SketchMaker {
  readonly #elementBytes: number;
  readonly #shift: number;
  readonly #count: number;
  readonly #sketch = new Uint16Array(SKETCH_ELEMENTS);
  #next = 0;

  constructor({ bytes, kind, planes }: TensorRange) {
    this.#elementBytes = planes.elementBytes;
    this.#count = Math.floor(bytes / planes.elementBytes);
    const { mantissaBits, bits } = ELEMENT_KINDS[kind] as ElementKind;
    // Of the two highest bytes; a single byte counts as the higher one.
    this.#shift = planes.isFloat ? Math.max(0, mantissaBits - (bits - 16)) : 12;
  }

  /** @param at of the piece, whole elements into the tensor */
  add(at: number, piece: Uint8Array): void {
    while (this.#next < SKETCH_ELEMENTS) {
      const element = Math.floor(((this.#next + 0.5) * this.#count) / SKETCH_ELEMENTS);
      const end = (element + 1) * this.#elementBytes - at;
      if (end > piece.byteLength) return;
      const low = this.#elementBytes === 1 ? 0 : (piece[end - 2] as number);
      this.#sketch[this.#next++] = (256 * (piece[end - 1] as number) + low) >> this.#shift;
    }
  }

  sketch(): Sketch | null {
    return this.#count < SKETCH_ELEMENTS ? null : this.#sketch;
  }
}

/** How many elements look alike; 0 without a sketch. */
export function likeness(left: Sketch | null, right: Sketch | null): number {
  if (left === null || right === null) return 0;
  let alike = 0;
  for (let at = 0; at < SKETCH_ELEMENTS; at++) if (left[at] === right[at]) alike++;
  return alike;
}
