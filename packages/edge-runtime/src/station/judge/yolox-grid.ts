// YOLOX's boxes, which tell their places within a grid of cells (Ge et al. 2021, arXiv 2107.08430).
import { type BoxTable, numberAt } from './box-table.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A cell for so many pixels of the input. */
const STRIDES = [8, 16, 32];

/** Of all grids together. */
export function gridCells(input: Size): number {
  return STRIDES.reduce((sum, stride) => sum + columnsOf(input, stride) * rowsOf(input, stride), 0);
}

/** Centre = (output + cell) * stride, size = exp(output) * stride. @returns corners in pixels of the input. */
export function onGrid(
  table: BoxTable,
  row: number,
  input: Size,
): { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number } {
  const { stride, column, line } = cellOf(row, input);
  const x = (numberAt(table, row, 0) + column) * stride;
  const y = (numberAt(table, row, 1) + line) * stride;
  const halfWidth = (Math.exp(numberAt(table, row, 2)) * stride) / 2;
  const halfHeight = (Math.exp(numberAt(table, row, 3)) * stride) / 2;
  return { left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight };
}

/** The finest grid comes first, each row by row. */
function cellOf(row: number, input: Size): { stride: number; column: number; line: number } {
  let left = row;
  for (const stride of STRIDES) {
    const columns = columnsOf(input, stride);
    const cells = columns * rowsOf(input, stride);
    if (left < cells) return { stride, column: left % columns, line: Math.floor(left / columns) };
    left -= cells;
  }
  throw new RangeError(`there is no cell ${row} in ${input.width}x${input.height}`);
}

function columnsOf({ width }: Size, stride: number): number {
  return Math.floor(width / stride);
}

function rowsOf({ height }: Size, stride: number): number {
  return Math.floor(height / stride);
}
