// Two sets of files -> the delta that makes the second of the first.

import { KerfError } from '@kerf/protocol';
import { decodeSegment } from '../apply/decode-segment.ts';
import { type ByteReader, joinedReader } from '../byte-reader.ts';
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import { MAX_SCRATCH_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import { type DeltaFile, type DeltaSegment, encodeIndex } from '../format/patch-index.ts';
import { type MakeHasher, portableHasher, sha256Hex } from '../hash.ts';
import { type BytePart, matchBytes } from './match-bytes.ts';
import { matchTensors, type PlacedTensor, placeTensors } from './match-tensors.ts';
import { type GapPiece, type Piece, piecesOf, structureOf, type TensorPiece } from './pieces.ts';
import type { DeltaReport, PartReport, Strategy } from './report.ts';
import { type BuiltSegment, SegmentBuilder } from './segment-builder.ts';
import type { SourceFile } from './source-files.ts';
import { bestWithOld, type Candidate, planesCandidate } from './tensor-candidates.ts';

export interface EncodeOptions {
  readonly base: readonly SourceFile[];
  readonly target: readonly SourceFile[];
  /** @default the portable one */
  readonly makeHasher?: MakeHasher;
  /** Called as bytes of the target are done. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface EncodedDelta {
  /** One after another they are the delta. */
  readonly chunks: readonly Uint8Array[];
  readonly report: DeltaReport;
}

/** Old structure in front of each scratch segment. */
const DICTIONARY_BYTES = MAX_SEGMENT_BYTES;

/**
 * Makes a delta. Every segment is decoded again and compared before it is kept. Memory: the delta, one segment's work
 * (some 100 MiB), and files that are no models once, both sides.
 * @throws {KerfError} INTERNAL when a segment does not decode to what it was made of.
 */
export async function encodeDelta(options: EncodeOptions): Promise<EncodedDelta> {
  return await new DeltaEncoder(options).encode();
}

class DeltaEncoder {
  readonly #options: EncodeOptions;
  readonly #base: ByteReader;
  readonly #target: ByteReader;
  readonly #makeHasher: MakeHasher;
  readonly #segments: Omit<DeltaSegment, 'payloadOffset'>[] = [];
  readonly #payloads: Uint8Array[] = [];
  readonly #parts: PartReport[] = [];
  #scratch = new Uint8Array(0);
  #builder = new SegmentBuilder();
  /** Where the segment that is built begins, in all target files together. */
  #segmentStart = 0;
  #valueBytes = 0;
  #entropyBytes = 0;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#base = joinedReader(options.base.map(({ reader }) => reader));
    this.#target = joinedReader(options.target.map(({ reader }) => reader));
    this.#makeHasher = options.makeHasher ?? portableHasher;
  }

  async encode(): Promise<EncodedDelta> {
    const { base, target } = this.#options;
    const old = await placeTensors(base, this.#makeHasher);
    const fresh = await placeTensors(target, this.#makeHasher);
    const pieces = piecesOf(target, fresh, matchTensors(old, fresh));
    const inScratch = await this.#makeScratch(pieces);
    let file = 0;
    for (const piece of pieces) {
      if (piece.file !== file) await this.#endSegment();
      file = piece.file;
      if (piece.kind === 'tensor') await this.#tensor(piece);
      else await this.#gap(piece, inScratch.get(piece));
    }
    await this.#endSegment();
    const chunks = [encodeIndex(base.map(fileOf), target.map(fileOf), this.#segments), ...this.#payloads];
    return { chunks, report: this.#report(chunks) };
  }

  /** The structure of models goes first and is coded as one text. @returns where each gap lies in the scratch. */
  async #makeScratch(pieces: readonly Piece[]): Promise<Map<Piece, number>> {
    const places = new Map<Piece, number>();
    const isWhole = (piece: GapPiece): boolean => !(this.#options.target[piece.file] as SourceFile).isModel;
    let bytes = 0;
    for (const piece of pieces) {
      if (piece.kind !== 'gap' || bytes + piece.bytes > MAX_SCRATCH_BYTES) continue;
      if (isWhole(piece) && (this.#options.target[piece.file] as SourceFile).tensors.length === 0) continue;
      places.set(piece, bytes);
      bytes += piece.bytes;
    }
    if (bytes === 0) return places;
    const all = new Uint8Array(bytes);
    for (const [piece, at] of places) {
      const gap = piece as GapPiece;
      all.set(await this.#target.read(gap.place, gap.bytes), at);
    }
    const structure = structureOf(this.#options.base, MAX_SCRATCH_BYTES);
    for (let at = 0, left = structure; at < bytes; at += MAX_SEGMENT_BYTES) {
      const part = all.subarray(at, Math.min(bytes, at + MAX_SEGMENT_BYTES));
      const { taken, rest } = takeRanges(left, DICTIONARY_BYTES);
      left = rest.length > 0 ? rest : structure;
      const builder = new SegmentBuilder();
      for (const range of taken) builder.addDictionary(range, await this.#base.read(range.offset, range.bytes));
      builder.text(part);
      await this.#keep(builder.finish(), 'scratch', part, all.subarray(0, at));
    }
    this.#scratch = all;
    const deltaBytes = this.#payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
    this.#parts.push({ name: 'structure', shape: null, file: '', strategy: 'structure', bytes, deltaBytes });
    return places;
  }

  async #gap(piece: GapPiece, scratchAt: number | undefined): Promise<void> {
    if (scratchAt === undefined) {
      await this.#bytesOf(piece);
      return;
    }
    for (let done = 0; done < piece.bytes; ) {
      const bytes = await this.#roomFor(piece.bytes - done);
      this.#builder.add({ op: 'scratch', offset: scratchAt + done, bytes });
      done += bytes;
    }
  }

  /** Bytes that may be made at once now: the rest of the segment, or of a new one. */
  async #roomFor(wanted: number): Promise<number> {
    if (!this.#builder.hasRoomFor(1, 0)) await this.#endSegment();
    return Math.min(wanted, MAX_SEGMENT_BYTES - this.#builder.bytes);
  }

  /** A tensor in chunks of whole rows that fit a segment. */
  async #tensor({ tensor, match, file }: TensorPiece): Promise<void> {
    const name = tensor.name === '' ? 'tensor' : tensor.name;
    const part = { name, shape: tensor.shape, file: (this.#options.target[file] as SourceFile).name };
    if (match?.isSame === true) {
      for (let done = 0; done < tensor.bytes; ) {
        if (!this.#builder.hasRoomFor(1, 1)) await this.#endSegment();
        const bytes = Math.min(tensor.bytes - done, MAX_SEGMENT_BYTES - this.#builder.bytes);
        if (!this.#builder.hasRoomFor(bytes, bytes)) await this.#endSegment();
        this.#builder.copy({ offset: match.old.place + done, bytes });
        done += bytes;
      }
      this.#parts.push({ ...part, strategy: 'copy', bytes: tensor.bytes, deltaBytes: 8 });
      return;
    }
    for (const chunk of chunksOf(tensor)) {
      if (!this.#builder.hasRoomFor(chunk.bytes, chunk.bytes)) await this.#endSegment();
      const fresh = await this.#target.read(tensor.place + chunk.offset, chunk.bytes);
      const best =
        match === null
          ? planesCandidate(tensor.planes, fresh)
          : bestWithOld(
              { kind: tensor.kind, rows: chunk.rows, columns: chunk.columns, base: match.old.place + chunk.offset },
              tensor.planes,
              await this.#base.read(match.old.place + chunk.offset, chunk.bytes),
              fresh,
            );
      this.#add(best, { ...part, bytes: chunk.bytes });
    }
  }

  #add({ operation, bits, write }: Candidate, part: Omit<PartReport, 'strategy' | 'deltaBytes'>): void {
    this.#builder.add(operation, write);
    this.#parts.push({ ...part, strategy: strategyOf(operation.op), deltaBytes: Math.ceil(bits / 8) });
  }

  /** A file of an unknown kind, or what did not fit the scratch: copies, numbers where they fit, and text. */
  async #bytesOf(piece: GapPiece): Promise<void> {
    const file = this.#options.target[piece.file] as SourceFile;
    const parts = matchBytes(await this.#oldFor(file), {
      place: piece.place,
      reader: this.#target,
      bytes: piece.bytes,
    });
    for await (const part of parts) await this.#bytePart(part, file.name);
  }

  /** The base file of the same name, or the only one. */
  async #oldFor({ name }: SourceFile): Promise<{ place: number; bytes: number; reader: ByteReader } | null> {
    let place = 0;
    const { base } = this.#options;
    for (const file of base) {
      const { byteLength } = file.reader;
      if (file.name === name || base.length === 1) return { place, bytes: byteLength, reader: this.#base };
      place += byteLength;
    }
    return null;
  }

  async #bytePart(part: BytePart, file: string): Promise<void> {
    if (part.kind === 'copy') {
      for (let done = 0; done < part.bytes; ) {
        if (!this.#builder.hasRoomFor(1, 1)) await this.#endSegment();
        const bytes = Math.min(part.bytes - done, MAX_SEGMENT_BYTES - this.#builder.bytes);
        if (!this.#builder.hasRoomFor(bytes, bytes)) await this.#endSegment();
        this.#builder.copy({ offset: part.from + done, bytes });
        done += bytes;
      }
      this.#parts.push({ name: 'bytes', shape: null, file, strategy: 'copy', bytes: part.bytes, deltaBytes: 8 });
    } else if (part.kind === 'values') {
      const bytes = part.fresh.byteLength;
      if (!this.#builder.hasRoomFor(bytes, bytes)) await this.#endSegment();
      this.#add(part.candidate, { name: 'bytes', shape: null, file, bytes });
    } else {
      const bytes = part.fresh.byteLength;
      const { dictionary } = part;
      if (!this.#builder.hasRoomFor(bytes, dictionary?.bytes ?? 0)) await this.#endSegment();
      if (dictionary !== null) {
        this.#builder.addDictionary(dictionary, await this.#base.read(dictionary.offset, dictionary.bytes));
      }
      this.#builder.text(part.fresh);
      this.#parts.push({
        name: 'bytes',
        shape: null,
        file,
        strategy: 'text',
        bytes,
        deltaBytes: Math.ceil(part.bits / 8),
      });
    }
  }

  async #endSegment(): Promise<void> {
    if (this.#builder.bytes === 0) return;
    const built = this.#builder.finish();
    this.#builder = new SegmentBuilder();
    const bytes = await this.#target.read(this.#segmentStart, built.bytes);
    await this.#keep(built, 'output', bytes, this.#scratch);
    this.#segmentStart += built.bytes;
    this.#options.onProgress?.(this.#segmentStart, this.#target.byteLength);
  }

  async #keep(built: BuiltSegment, kind: DeltaSegment['kind'], bytes: Uint8Array, scratch: Uint8Array): Promise<void> {
    const { payload, baseBytes } = built;
    const decoded = await decodeSegment({ bytes: bytes.byteLength, baseBytes }, payload, this.#base, scratch);
    if (decoded.some((byte, at) => byte !== bytes[at])) {
      throw new KerfError('INTERNAL', 'a segment of the delta does not decode to what it was made of');
    }
    const segment = { kind, bytes: bytes.byteLength, baseBytes, payloadBytes: payload.byteLength };
    this.#segments.push({ ...segment, sha256: await sha256Hex(bytes) });
    this.#payloads.push(payload);
    this.#valueBytes += built.valueBytes;
    this.#entropyBytes += built.entropyBytes;
  }

  #report(chunks: readonly Uint8Array[]): DeltaReport {
    return {
      baseBytes: this.#base.byteLength,
      targetBytes: this.#target.byteLength,
      deltaBytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
      valueBytes: this.#valueBytes,
      entropyBytes: this.#entropyBytes,
      segments: this.#segments.length,
      parts: this.#parts,
    };
  }
}

function fileOf({ name, reader, sha256 }: SourceFile): DeltaFile {
  return { name, bytes: reader.byteLength, sha256 };
}

function strategyOf(op: Candidate['operation']['op']): Strategy {
  if (op === 'lowRank') return 'low rank';
  if (op === 'planes') return 'byte planes';
  if (op === 'scratch') return 'structure';
  return op;
}

interface Chunk {
  readonly offset: number;
  readonly bytes: number;
  readonly rows: number;
  readonly columns: number;
}

/** Whole rows as long as one fits; else the tensor counts as one row. */
function chunksOf({ kind, rows, columns, bytes, planes }: PlacedTensor): Chunk[] {
  const element = ELEMENT_KINDS[kind] as ElementKind;
  const rowBytes = (columns * element.bits) / 8;
  const isByRow =
    rows > 1 && Number.isInteger(rowBytes) && rowBytes % planes.elementBytes === 0 && rowBytes <= MAX_SEGMENT_BYTES;
  const step = isByRow ? Math.floor(MAX_SEGMENT_BYTES / rowBytes) * rowBytes : MAX_SEGMENT_BYTES;
  const chunks: Chunk[] = [];
  for (let offset = 0; offset < bytes; offset += step) {
    const size = Math.min(step, bytes - offset);
    const elements = (size * 8) / element.bits;
    const chunkRows = isByRow ? size / rowBytes : bytes <= MAX_SEGMENT_BYTES ? rows : 1;
    chunks.push({ offset, bytes: size, rows: chunkRows, columns: elements / chunkRows });
  }
  return chunks;
}

/** Divides a list of ranges behind so many bytes. */
function takeRanges(
  ranges: readonly { offset: number; bytes: number }[],
  most: number,
): { taken: { offset: number; bytes: number }[]; rest: { offset: number; bytes: number }[] } {
  const taken: { offset: number; bytes: number }[] = [];
  const rest: { offset: number; bytes: number }[] = [];
  let left = most;
  for (const { offset, bytes } of ranges) {
    const now = Math.min(left, bytes);
    if (now > 0) taken.push({ offset, bytes: now });
    if (bytes > now) rest.push({ offset: offset + now, bytes: bytes - now });
    left -= now;
  }
  return { taken, rest };
}

export function deltaBytesOf(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
