// The bytes of a tensor, piece by piece -> a few of its elements, coarsely: whether another tensor is likely to be an earlier
// version of it, whatever its name, and whatever the order of its axes.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { dimsOf } from './dims.ts';
import type { TensorRange } from './source-files.ts';

/** Elements that are looked at, from all over a tensor. Smaller tensors have no sketch. */
export const SKETCH_ELEMENTS = 64;
/** Of them along the second longest axis; the others along the longest. */
const ACROSS = 8;

export interface Sketch {
  /** Elements in their order. Of a float its sign and exponent, of an integer its four highest bits. */
  readonly straight: Uint16Array;
  /** Elements along the two longest axes, the longest first: the same ones in any order of axes. Null without two axes. */
  readonly grid: Grid | null;
}

interface Grid {
  readonly elements: Uint16Array;
  /** Of an element, the bit that is its sign. */
  readonly signBit: number;
  /** Elements along the second axis. */
  readonly columns: number;
  /** Sizes of all axes, the longest first: what has others is no turned version. */
  readonly sizes: string;
  /** Both axes are as long: either may be the first. */
  readonly isSquare: boolean;
}

/** Where an element is kept. */
interface Place {
  readonly element: number;
  readonly into: Uint16Array;
  readonly at: number;
}

export class SketchMaker {
  readonly #elementBytes: number;
  readonly #shift: number;
  readonly #sketch: Sketch | null;
  /** Ascending by element. */
  readonly #places: readonly Place[];
  #next = 0;

  constructor(tensor: TensorRange) {
    const { bytes, kind, planes } = tensor;
    this.#elementBytes = planes.elementBytes;
    const count = Math.floor(bytes / planes.elementBytes);
    const { mantissaBits, bits } = ELEMENT_KINDS[kind] as ElementKind;
    // Of the two highest bytes; a single byte counts as the higher one.
    this.#shift = planes.isFloat ? Math.max(0, mantissaBits - (bits - 16)) : 12;
    if (count < SKETCH_ELEMENTS) {
      this.#sketch = null;
      this.#places = [];
      return;
    }
    const straight = new Uint16Array(SKETCH_ELEMENTS);
    const spread = Array.from(straight, (_, at) => Math.floor(((at + 0.5) * count) / SKETCH_ELEMENTS));
    const dims = dimsOf(tensor);
    const across = dims.reduce((product, size) => product * size, 1) === count ? gridOf(dims, 15 - this.#shift) : null;
    this.#sketch = { straight, grid: across?.grid ?? null };
    this.#places = [
      ...spread.map((element, at) => ({ element, into: straight, at })),
      ...(across === null ? [] : across.places.map((element, at) => ({ element, into: across.grid.elements, at }))),
    ].sort((a, b) => a.element - b.element);
  }

  /** @param at of the piece, whole elements into the tensor */
  add(at: number, piece: Uint8Array): void {
    for (; this.#next < this.#places.length; this.#next++) {
      const { element, into, at: place } = this.#places[this.#next] as Place;
      const end = (element + 1) * this.#elementBytes - at;
      if (end > piece.byteLength) return;
      const low = this.#elementBytes === 1 ? 0 : (piece[end - 2] as number);
      into[place] = (256 * (piece[end - 1] as number) + low) >> this.#shift;
    }
  }

  sketch(): Sketch | null {
    return this.#sketch;
  }
}

/** The elements of a grid over the two longest axes, in the middle of the others. */
function gridOf(
  dims: readonly number[],
  signBit: number,
): { readonly grid: Grid; readonly places: readonly number[] } | null {
  const axes = dims.map((_, axis) => axis).sort((a, b) => (dims[b] as number) - (dims[a] as number) || a - b);
  const sizes = axes.map((axis) => dims[axis] as number);
  const [first = 0, second = 0] = sizes;
  const across = Math.min(ACROSS, 2 ** Math.floor(Math.log2(second)));
  const along = SKETCH_ELEMENTS / across;
  if (second < 2 || first < along) return null;
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1));
  const middle = axes
    .slice(2)
    .reduce((sum, axis) => sum + ((dims[axis] as number) >> 1) * (strides[axis] as number), 0);
  const [step = 0, stepAcross = 0] = axes.map((axis) => strides[axis]);
  const places = Array.from({ length: SKETCH_ELEMENTS }, (_, at) => {
    const row = Math.floor(((Math.floor(at / across) + 0.5) * first) / along);
    const column = Math.floor((((at % across) + 0.5) * second) / across);
    return middle + row * step + column * stepAcross;
  });
  const grid = {
    elements: new Uint16Array(SKETCH_ELEMENTS),
    signBit,
    columns: across,
    sizes: sizes.join(),
    isSquare: first === second,
  };
  return { grid, places };
}

/** How many elements look alike, with the axes in their order or in another; 0 without a sketch. */
export function likeness(left: Sketch | null, right: Sketch | null): number {
  if (left === null || right === null) return 0;
  return Math.max(equalElements(left.straight, right.straight), turnedLikeness(left.grid, right.grid));
}

function turnedLikeness(left: Grid | null, right: Grid | null): number {
  if (left === null || right === null || left.sizes !== right.sizes) return 0;
  const straight = equalElements(left.elements, right.elements);
  if (!left.isSquare) return straight;
  const { columns } = left;
  const turned = right.elements.map(
    (_, at) => right.elements[(at % columns) * columns + Math.floor(at / columns)] as number,
  );
  return Math.max(straight, equalElements(left.elements, turned));
}

/** How many elements have the same sign, were all of a row or a column multiplied by the same; 0 without a grid. */
export function scaledLikeness(left: Sketch | null, right: Sketch | null): number {
  const [before, after] = [left?.grid ?? null, right?.grid ?? null];
  if (before === null || after === null || before.sizes !== after.sizes) return 0;
  return equalElements(signsOf(before), signsOf(after));
}

/** Of a grid whose first row and first column are positive. */
function signsOf({ elements, signBit, columns }: Grid): Uint16Array {
  const sign = (at: number): number => ((elements[at] as number) >> signBit) & 1;
  return elements.map((_, at) => sign(at) ^ sign(at % columns) ^ sign(at - (at % columns)) ^ sign(0));
}

function equalElements(left: Uint16Array, right: Uint16Array): number {
  let alike = 0;
  for (let at = 0; at < SKETCH_ELEMENTS; at++) if (left[at] === right[at]) alike++;
  return alike;
}
