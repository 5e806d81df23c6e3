// A tensor -> chunks of it that fit a segment.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { PlacedTensor } from './match-tensors.ts';

export interface TensorChunk {
  /** Into the tensor. */
  readonly offset: number;
  readonly bytes: number;
}

/** Whole rows as long as one fits. */
export function chunksOf(tensor: PlacedTensor): TensorChunk[] {
  const { rows, bytes, planes } = tensor;
  const rowBytes = rowBytesOf(tensor);
  const isByRow =
    rows > 1 && Number.isInteger(rowBytes) && rowBytes % planes.elementBytes === 0 && rowBytes <= MAX_SEGMENT_BYTES;
  const step = isByRow ? Math.floor(MAX_SEGMENT_BYTES / rowBytes) * rowBytes : MAX_SEGMENT_BYTES;
  const chunks: TensorChunk[] = [];
  for (let offset = 0; offset < bytes; offset += step) chunks.push({ offset, bytes: Math.min(step, bytes - offset) });
  return chunks;
}

/** The rows and columns of a part of a tensor; one row where it is not made of whole ones. */
export function shapeOf(tensor: PlacedTensor, { offset, bytes }: TensorChunk): { rows: number; columns: number } {
  const rowBytes = rowBytesOf(tensor);
  const isWhole = bytes === tensor.bytes;
  const isByRow = Number.isInteger(rowBytes) && offset % rowBytes === 0 && bytes % rowBytes === 0;
  const rows = isWhole ? tensor.rows : isByRow ? bytes / rowBytes : 1;
  return { rows, columns: (bytes * 8) / bitsOf(tensor) / rows };
}

function rowBytesOf(tensor: PlacedTensor): number {
  return (tensor.columns * bitsOf(tensor)) / 8;
}

function bitsOf({ kind }: PlacedTensor): number {
  return (ELEMENT_KINDS[kind] as ElementKind).bits;
}
