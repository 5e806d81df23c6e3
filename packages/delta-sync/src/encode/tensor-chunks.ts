// A tensor -> chunks of it that fit a segment.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { PlacedTensor } from './match-tensors.ts';

export interface TensorChunk {
  /** Into the tensor. */
  readonly offset: number;
  readonly bytes: number;
  readonly rows: number;
  readonly columns: number;
}

/** Whole rows as long as one fits; else the tensor counts as one row. */
export function chunksOf({ kind, rows, columns, bytes, planes }: PlacedTensor): TensorChunk[] {
  const element = ELEMENT_KINDS[kind] as ElementKind;
  const rowBytes = (columns * element.bits) / 8;
  const isByRow =
    rows > 1 && Number.isInteger(rowBytes) && rowBytes % planes.elementBytes === 0 && rowBytes <= MAX_SEGMENT_BYTES;
  const step = isByRow ? Math.floor(MAX_SEGMENT_BYTES / rowBytes) * rowBytes : MAX_SEGMENT_BYTES;
  const chunks: TensorChunk[] = [];
  for (let offset = 0; offset < bytes; offset += step) {
    const size = Math.min(step, bytes - offset);
    const elements = (size * 8) / element.bits;
    const chunkRows = isByRow ? size / rowBytes : bytes <= MAX_SEGMENT_BYTES ? rows : 1;
    chunks.push({ offset, bytes: size, rows: chunkRows, columns: elements / chunkRows });
  }
  return chunks;
}
