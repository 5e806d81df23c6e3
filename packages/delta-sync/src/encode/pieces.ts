// The files of the target, and what is known of their tensors -> pieces in output order: tensors, and what lies between.
import type { BaseRange } from '../format/operations.ts';
import type { TensorMatch } from './match-tensors.ts';
import type { PlacedTensor } from './place-tensors.ts';
import type { SourceFile } from './source-files.ts';

export interface TensorPiece {
  readonly kind: 'tensor';
  readonly file: number;
  readonly tensor: PlacedTensor;
  readonly match: TensorMatch | null;
}

/** Bytes between tensors. */
export interface GapPiece {
  readonly kind: 'gap';
  readonly file: number;
  /** In all target files together. */
  readonly place: number;
  readonly bytes: number;
}

export type Piece = TensorPiece | GapPiece;

/** A tensor of fewer bytes that did not change costs more as an operation than as part of the text around it. */
const LEAST_COPY_BYTES = 1024;

/** Pieces of all files that have tensors or are models; files of an unknown kind are one gap each. */
export function piecesOf(
  files: readonly SourceFile[],
  tensors: readonly PlacedTensor[],
  matches: ReadonlyMap<PlacedTensor, TensorMatch>,
): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (const [file, { reader }] of files.entries()) {
    const end = start + reader.byteLength;
    let at = start;
    for (const tensor of tensors) {
      if (tensor.place < start || tensor.place >= end) continue;
      const match = matches.get(tensor) ?? null;
      if (!isPiece(tensor, match)) continue;
      if (tensor.place > at) pieces.push({ kind: 'gap', file, place: at, bytes: tensor.place - at });
      pieces.push({ kind: 'tensor', file, tensor, match });
      at = tensor.place + tensor.bytes;
    }
    if (end > at) pieces.push({ kind: 'gap', file, place: at, bytes: end - at });
    start = end;
  }
  return pieces;
}

function isPiece(tensor: PlacedTensor, match: TensorMatch | null): boolean {
  return tensor.bytes >= LEAST_COPY_BYTES || (match !== null && match.by !== 'bytes');
}

/**
 * What of the base is worth a dictionary: what lies between the tensors of models and their data files, and tensors that are too small
 * for a piece, but for those that a piece comes from: the new structure lacks it as well.
 */
export function structureOf(
  files: readonly SourceFile[],
  pieces: readonly Piece[],
  taken: readonly BaseRange[],
  maxBytes: number,
): { offset: number; bytes: number }[] {
  const places = new Set(pieces.flatMap((piece) => (piece.kind === 'tensor' ? (piece.match?.old.place ?? []) : [])));
  const ranges: { offset: number; bytes: number }[] = [];
  let left = maxBytes;
  let start = 0;
  const others = [...taken].sort((a, b) => a.offset - b.offset);
  let next = 0;
  const keep = (from: number, to: number): void => {
    let at = from;
    for (; next < others.length && (others[next] as BaseRange).offset < to; next++) {
      const { offset, bytes } = others[next] as BaseRange;
      keepAll(at, offset);
      at = Math.max(at, offset + bytes);
    }
    keepAll(at, to);
  };
  const keepAll = (from: number, to: number): void => {
    const bytes = Math.min(left, to - from);
    if (bytes <= 0) return;
    ranges.push({ offset: from, bytes });
    left -= bytes;
  };
  for (const { isModel, tensors, reader } of files) {
    if (isModel || tensors.length > 0) {
      let at = start;
      for (const tensor of tensors) {
        if (tensor.bytes < LEAST_COPY_BYTES && !places.has(start + tensor.offset)) continue;
        keep(at, start + tensor.offset);
        at = start + tensor.offset + tensor.bytes;
      }
      keep(at, start + reader.byteLength);
    }
    start += reader.byteLength;
  }
  return ranges;
}
