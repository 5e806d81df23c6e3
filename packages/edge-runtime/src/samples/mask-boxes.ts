// The runs of a mask -> boxes about what the model marked, in pixels of the picture.
import type { ResultMask } from '../station/result-record.ts';

/** Of 15: the model takes a cell for a defect rather than not. */
const MARKED = 8;

/** [x, y, width, height] of each region of marked cells that touch at their sides, in the order of their first cell. */
export function maskBoxes(
  { width, height, runs, area }: ResultMask,
  picture: { readonly width: number; readonly height: number },
): readonly (readonly [number, number, number, number])[] {
  const cells = new Uint8Array(width * height);
  let end = 0;
  for (let index = 0; index + 1 < runs.length; index += 2) {
    const start = end;
    end = Math.min(start + (runs[index + 1] ?? 0), cells.length);
    if ((runs[index] ?? 0) >= MARKED) cells.fill(1, start, end);
  }
  const over = area ?? { x: 0, y: 0, ...picture };
  const across = over.width / width;
  const down = over.height / height;
  const boxes: [number, number, number, number][] = [];
  for (let at = cells.indexOf(1); at >= 0; at = cells.indexOf(1, at)) {
    const { left, top, right, bottom } = region(cells, at, width);
    boxes.push([
      Math.round(over.x + left * across),
      Math.round(over.y + top * down),
      Math.round((right - left + 1) * across),
      Math.round((bottom - top + 1) * down),
    ]);
  }
  return boxes;
}

/** Takes the region of `start` out of `cells`. */
function region(cells: Uint8Array, start: number, width: number): Record<'left' | 'top' | 'right' | 'bottom', number> {
  const bounds = { left: width, top: cells.length, right: 0, bottom: 0 };
  const waiting = [start];
  cells[start] = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)];
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y);
    const beside = [at - width, at + width, ...(x > 0 ? [at - 1] : []), ...(x < width - 1 ? [at + 1] : [])];
    for (const next of beside) {
      if (cells[next] !== 1) continue;
      cells[next] = 0;
      waiting.push(next);
    }
  }
  return bounds;
}
