// A tensor with its axes in another order -> the operations that make it, each of as many of its rows as fit a segment.
import type { Turn } from '../codec/turn.ts';
import { bytesOfElements, ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BYTES, MAX_WHOLE } from '../format/limits.ts';
import { elementsOf, matrixOfTurn } from '../format/operation-sizes.ts';
import type { TurnedOperation, TurnedPartOperation } from '../format/operations.ts';

export type TurnFields = Omit<TurnedOperation, 'levels'> | Omit<TurnedPartOperation, 'levels'>;

export interface TurnPart {
  readonly fields: TurnFields;
  /** Into the new tensor. */
  readonly offset: number;
  readonly bytes: number;
}

/** None where a row is larger than a segment, or too many would be needed. @param base where the old tensor begins */
export function turnPartsOf({ dims, axes }: Turn, kind: number, base: number): TurnPart[] {
  const element = ELEMENT_KINDS[kind] as ElementKind;
  const { rows, columns } = matrixOfTurn({ dims, axes });
  const rowBytes = bytesOfElements(element, columns);
  const count = Math.ceil(rows / Math.floor(MAX_SEGMENT_BYTES / rowBytes));
  if (count === 1) {
    return [{ fields: { op: 'turned', kind, dims, axes, base }, offset: 0, bytes: rows * rowBytes }];
  }
  if (!(count <= MAX_WHOLE / 2)) return [];
  const cut = axes[0] as number;
  const sliceBytes = bytesOfElements(element, elementsOf(dims.slice(cut + 1)));
  return Array.from({ length: count }, (_, at) => {
    const [first, end] = [at, at + 1].map((edge) => Math.floor((edge * rows) / count)) as [number, number];
    const part = {
      kind,
      dims: dims.map((size, axis) => (axis === cut ? end - first : size)),
      axes,
      base: base + first * sliceBytes,
    };
    // The first axis of the old tensor, so that a part of it lies in one piece.
    const fields: TurnFields = cut === 0 ? { op: 'turned', ...part } : { op: 'turnedPart', ...part, whole: rows };
    return { fields, offset: first * rowBytes, bytes: (end - first) * rowBytes };
  });
}
