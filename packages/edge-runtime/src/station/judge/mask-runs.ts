// A mask that a model drew -> runs over a small grid, as a record carries it.
import { float16Value, type Tensor, typedView } from '@kerf/protocol';
import type { ResultMask } from '../result-record.ts';
import { maskSize } from './shown-mask.ts';

/** Cells along the longer side: a record stays a few kilobytes. */
const GRID_SIDE = 48;
/** Values of a cell: 0 to this, the largest probability in it. */
export const MASK_LEVELS = 15;

/**
 * @param mask one probability a pixel: uint8 (of 255) or float (0 to 1), shape [1, 1, H, W], [1, H, W] or [H, W]
 * @returns null where no cell has anything to show.
 */
export function maskRuns(mask: Tensor): ResultMask | null {
  const { height, width } = maskSize(mask);
  const scale = Math.max(1, Math.ceil(Math.max(width, height) / GRID_SIDE));
  const columns = Math.ceil(width / scale);
  const rows = Math.ceil(height / scale);
  const cells = largestOfCells(mask, { width, height, scale, columns, rows });
  if (cells.every((value) => value === 0)) return null;
  const runs: number[] = [];
  let length = 0;
  for (let at = 0; at < cells.length; at++) {
    length++;
    if (cells[at] === cells[at + 1]) continue;
    runs.push(cells[at] as number, length);
    length = 0;
  }
  return { width: columns, height: rows, runs };
}

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly columns: number;
  readonly rows: number;
}

function largestOfCells(mask: Tensor, { width, height, scale, columns, rows }: Grid): Uint8Array {
  const view = typedView(mask);
  const unit = mask.dtype === 'uint8' ? 255 : 1;
  const isHalf = mask.dtype === 'float16';
  const cells = new Uint8Array(columns * rows);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / scale) * columns;
    for (let x = 0; x < width; x++) {
      const raw = Number(view[y * width + x]);
      const level = Math.round(((isHalf ? float16Value(raw) : raw) / unit) * MASK_LEVELS);
      const cell = row + Math.floor(x / scale);
      if (level > (cells[cell] as number)) cells[cell] = Math.min(MASK_LEVELS, level);
    }
  }
  return cells;
}
