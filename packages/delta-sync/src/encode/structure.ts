// What lies between the tensors of models -> scratch segments: one text, with the old structure as its dictionary.
import type { ByteReader } from '../byte-reader.ts';
import { MAX_SCRATCH_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import type { KeptSegments } from './kept-segments.ts';
import { type GapPiece, type Piece, structureOf } from './pieces.ts';
import { SegmentBuilder } from './segment-builder.ts';
import type { SourceFile } from './source-files.ts';

export interface Structure {
  /** What the scratch segments make. */
  readonly bytes: Uint8Array;
  /** Where each gap lies in that; those that are not there did not fit, or are of files of an unknown kind. */
  readonly places: ReadonlyMap<Piece, number>;
}

/** Old structure in front of each scratch segment. */
const DICTIONARY_BYTES = MAX_SEGMENT_BYTES;

export async function keepStructure(
  pieces: readonly Piece[],
  files: { readonly base: readonly SourceFile[]; readonly target: readonly SourceFile[] },
  readers: { readonly base: ByteReader; readonly target: ByteReader },
  segments: KeptSegments,
  format: FormatVersion,
): Promise<Structure> {
  const { places, bytes } = placesOf(pieces, files.target);
  const all = new Uint8Array(bytes);
  if (bytes === 0) return { bytes: all, places };
  for (const [gap, at] of places) all.set(await readers.target.read(gap.place, gap.bytes), at);
  const structure = structureOf(files.base, pieces, MAX_SCRATCH_BYTES);
  for (let at = 0, left = structure; at < bytes; at += MAX_SEGMENT_BYTES) {
    const part = all.subarray(at, Math.min(bytes, at + MAX_SEGMENT_BYTES));
    const { taken, rest } = takeRanges(left, DICTIONARY_BYTES);
    left = rest.length > 0 ? rest : structure;
    const builder = new SegmentBuilder(format);
    for (const range of taken) builder.addDictionary(range, await readers.base.read(range.offset, range.bytes));
    builder.text(part);
    await segments.keep(builder.finish(), 'scratch', part, all.subarray(0, at));
  }
  return { bytes: all, places };
}

function placesOf(
  pieces: readonly Piece[],
  target: readonly SourceFile[],
): { places: Map<GapPiece, number>; bytes: number } {
  const places = new Map<GapPiece, number>();
  let bytes = 0;
  for (const piece of pieces) {
    if (piece.kind !== 'gap' || bytes + piece.bytes > MAX_SCRATCH_BYTES) continue;
    const { isModel, tensors } = target[piece.file] as SourceFile;
    if (!isModel && tensors.length === 0) continue;
    places.set(piece, bytes);
    bytes += piece.bytes;
  }
  return { places, bytes };
}

/** Divides a list of ranges behind so many bytes. */
function takeRanges(ranges: readonly BaseRange[], most: number): { taken: BaseRange[]; rest: BaseRange[] } {
  const taken: BaseRange[] = [];
  const rest: BaseRange[] = [];
  let left = most;
  for (const { offset, bytes } of ranges) {
    const now = Math.min(left, bytes);
    if (now > 0) taken.push({ offset, bytes: now });
    if (bytes > now) rest.push({ offset: offset + now, bytes: bytes - now });
    left -= now;
  }
  return { taken, rest };
}
