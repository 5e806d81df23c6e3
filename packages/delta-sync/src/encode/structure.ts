// What lies between the tensors of models -> scratch segments: one text, with the old structure as its dictionary.
import type { ByteReader } from '../byte-reader.ts';
import { MAX_SCRATCH_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import type { KeptSegments } from './kept-segments.ts';
import { type GapPiece, type Piece, structureOf } from './pieces.ts';
import { type BuiltSegment, SegmentBuilder } from './segment-builder.ts';
import type { SourceFile } from './source-files.ts';
import type { WidenedPieces } from './widen-copies.ts';

export interface Structure {
  /** What the scratch segments make. */
  readonly bytes: Uint8Array;
  /** Where each gap lies in that; those that are not there did not fit, or are of files of an unknown kind. */
  readonly places: ReadonlyMap<Piece, number>;
}

/** Old structure in front of each scratch segment. */
const DICTIONARY_BYTES = MAX_SEGMENT_BYTES;

export async function keepStructure(
  { pieces, taken }: WidenedPieces,
  files: { readonly base: readonly SourceFile[]; readonly target: readonly SourceFile[] },
  readers: { readonly base: ByteReader; readonly target: ByteReader },
  segments: KeptSegments,
  format: FormatVersion,
): Promise<Structure> {
  const { places, bytes } = placesOf(pieces, files.target);
  const all = new Uint8Array(bytes);
  if (bytes === 0) return { bytes: all, places };
  for (const [gap, at] of places) all.set(await readers.target.read(gap.place, gap.bytes), at);
  // What copies took is missing in the text as well, as a rule; where all was renamed, the text is made of it.
  const ways: BuiltSegment[][] = [];
  for (const gone of taken.length > 0 ? [taken, []] : [taken]) {
    ways.push(await built(all, structureOf(files.base, pieces, gone, MAX_SCRATCH_BYTES), readers.base, format));
  }
  const [least] = ways.sort((a, b) => payloadBytes(a) - payloadBytes(b)) as [BuiltSegment[]];
  let at = 0;
  for (const segment of least) {
    await segments.keep(segment, 'scratch', all.subarray(at, at + segment.bytes), all.subarray(0, at));
    at += segment.bytes;
  }
  return { bytes: all, places };
}

/** The structure as segments, each behind its part of the old one. */
async function built(
  all: Uint8Array,
  structure: readonly BaseRange[],
  base: ByteReader,
  format: FormatVersion,
): Promise<BuiltSegment[]> {
  const segments: BuiltSegment[] = [];
  for (let at = 0, left = structure; at < all.byteLength; at += MAX_SEGMENT_BYTES) {
    const { taken, rest } = takeRanges(left, DICTIONARY_BYTES);
    left = rest.length > 0 ? rest : structure;
    const builder = new SegmentBuilder(format);
    for (const range of taken) builder.addDictionary(range, await base.read(range.offset, range.bytes));
    builder.text(all.subarray(at, Math.min(all.byteLength, at + MAX_SEGMENT_BYTES)));
    segments.push(builder.finish());
  }
  return segments;
}

function payloadBytes(segments: readonly BuiltSegment[]): number {
  return segments.reduce((sum, { payload }) => sum + payload.byteLength, 0);
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
