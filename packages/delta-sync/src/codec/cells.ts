// Elements of any width, as they lie in a file <-> 32-bit integers, a block at a time.
import type { ElementKind } from '../format/element-kinds.ts';

/** Elements that are worked on at once: what they take as 32-bit integers stays in the processor's cache. */
export const BLOCK_CELLS = 16_384;

/** Reads elements [first, first + count), sign extended, into `cells`. */
export function readCells(bytes: Uint8Array, kind: ElementKind, first: number, count: number, cells: Int32Array): void {
  if (kind.bits === 32) {
    for (let cell = 0, at = first * 4; cell < count; cell++, at += 4) {
      cells[cell] =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
    }
  } else if (kind.bits === 16) {
    for (let cell = 0, at = first * 2; cell < count; cell++, at += 2) {
      cells[cell] = (((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) << 16) >> 16;
    }
  } else if (kind.bits === 8) {
    for (let cell = 0; cell < count; cell++) cells[cell] = ((bytes[first + cell] as number) << 24) >> 24;
  } else {
    for (let cell = 0; cell < count; cell++) {
      const at = first + cell;
      cells[cell] = ((bytes[at >>> 1] as number) << ((at & 1) === 0 ? 28 : 24)) >> 28;
    }
  }
}

/** Writes the low bits of `cells` as elements [first, first + count); `bytes` must hold zeros where elements of 4 bits go. */
export function writeCells(
  bytes: Uint8Array,
  kind: ElementKind,
  first: number,
  count: number,
  cells: Int32Array,
): void {
  if (kind.bits === 32) {
    for (let cell = 0, at = first * 4; cell < count; cell++, at += 4) {
      const value = cells[cell] as number;
      bytes[at] = value;
      bytes[at + 1] = value >>> 8;
      bytes[at + 2] = value >>> 16;
      bytes[at + 3] = value >>> 24;
    }
  } else if (kind.bits === 16) {
    for (let cell = 0, at = first * 2; cell < count; cell++, at += 2) {
      bytes[at] = cells[cell] as number;
      bytes[at + 1] = (cells[cell] as number) >>> 8;
    }
  } else if (kind.bits === 8) {
    for (let cell = 0; cell < count; cell++) bytes[first + cell] = cells[cell] as number;
  } else {
    for (let cell = 0; cell < count; cell++) {
      const at = first + cell;
      const value = ((cells[cell] as number) & 15) << ((at & 1) * 4);
      bytes[at >>> 1] = (bytes[at >>> 1] as number) | value;
    }
  }
}
