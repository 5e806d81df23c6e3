// A mask over a model's whole input -> the part of it that lies over the picture, without the bars beside it.
import { makeTensor, type Tensor } from '@kerf/protocol';
import type { ResultMask } from '../result-record.ts';
import type { PictureGeometry } from './judgement.ts';

/** @param mask [1, 1, H, W], [1, H, W, 1], [1, H, W] or [H, W], at any size; what has another shape comes back as it is */
export function shownMask(mask: Tensor, { input, area }: Pick<PictureGeometry, 'input' | 'area'>): Tensor {
  if (area.width === input.width && area.height === input.height) return mask;
  const { height, width } = maskSize(mask);
  if (height * width === 0 || mask.data.byteLength % (height * width) !== 0) return mask;
  const bytes = mask.data.byteLength / (height * width);
  const columns = span(area.x, area.width, input.width, width);
  const rows = span(area.y, area.height, input.height, height);
  const data = new Uint8Array(rows.count * columns.count * bytes);
  for (let row = 0; row < rows.count; row++) {
    const start = ((rows.from + row) * width + columns.from) * bytes;
    data.set(mask.data.subarray(start, start + columns.count * bytes), row * columns.count * bytes);
  }
  return makeTensor(mask.dtype, [1, 1, rows.count, columns.count], data);
}

/** A mask over what the model saw, which may be a part of the picture. */
export function maskArea(
  mask: ResultMask | null,
  { taken, shown }: Pick<PictureGeometry, 'taken' | 'shown'>,
): ResultMask | null {
  const isWhole = shown.width === taken.width && shown.height === taken.height;
  return mask === null || isWhole ? mask : { ...mask, area: shown };
}

/** Of a mask in any of its shapes. */
export function maskSize({ shape }: Pick<Tensor, 'shape'>): { readonly height: number; readonly width: number } {
  const isLast = shape.length === 4 && shape[3] === 1 && shape[1] !== 1;
  const [height = 0, width = 0] = isLast ? shape.slice(1, 3) : shape.slice(-2);
  return { height, width };
}

/** Cells of `of` that `from` and `size` of `whole` touch. */
function span(
  from: number,
  size: number,
  whole: number,
  of: number,
): { readonly from: number; readonly count: number } {
  const first = Math.floor((from * of) / whole);
  return { from: first, count: Math.max(1, Math.ceil(((from + size) * of) / whole) - first) };
}
