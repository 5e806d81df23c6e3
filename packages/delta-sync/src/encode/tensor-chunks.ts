// A tensor -> chunks of it that fit a segment.
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { TensorMatch } from './match-tensors.ts';
import type { PlacedTensor } from './place-tensors.ts';

export interface TensorChunk {
  /** Into the tensor. */
  readonly offset: number;
  readonly bytes: number;
}

/** Whole rows as long as one fits; of an old tensor of a wider type as little as a segment may read. */
export function chunksOf(tensor: PlacedTensor, match: TensorMatch | null): TensorChunk[] {
  const wider = match?.by === 'type' ? match.old.bytes / tensor.bytes : 1;
  const most = Math.min(MAX_SEGMENT_BYTES, 2 ** Math.floor(Math.log2(MAX_SEGMENT_BASE_BYTES / wider)));
  const { rows, bytes, planes } = tensor;
  const rowBytes = rowBytesOf(tensor);
  const isByRow = rows > 1 && Number.isInteger(rowBytes) && rowBytes % planes.elementBytes === 0 && rowBytes <= most;
  const step = isByRow ? Math.floor(most / rowBytes) * rowBytes : most;
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
