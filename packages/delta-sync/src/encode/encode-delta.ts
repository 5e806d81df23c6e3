// Two sets of files -> the delta that makes the second of the first.

import { type ByteReader, joinedReader } from '../byte-reader.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import { type DeltaFile, encodeIndex } from '../format/patch-index.ts';
import { type MakeHasher, portableHasher } from '../hash.ts';
import { type BytePatcher, ByteRival } from './byte-rival.ts';
import { KeptSegments } from './kept-segments.ts';
import { type BytePart, matchBytes } from './match-bytes.ts';
import { matchTensors, placeTensors } from './match-tensors.ts';
import { type GapPiece, piecesOf, type TensorPiece } from './pieces.ts';
import { repeatedBits } from './repeats.ts';
import { type DeltaReport, type PartReport, strategyOf } from './report.ts';
import { SegmentBuilder } from './segment-builder.ts';
import type { SourceFile } from './source-files.ts';
import { keepStructure } from './structure.ts';
import { bestWithOld, type Candidate, planesCandidate } from './tensor-candidates.ts';
import { chunksOf } from './tensor-chunks.ts';

export interface EncodeOptions {
  readonly base: readonly SourceFile[];
  readonly target: readonly SourceFile[];
  /** @default the portable one */
  readonly makeHasher?: MakeHasher;
  /** Tried against each segment; the smaller one is kept. @default none */
  readonly patcher?: BytePatcher;
  /** Called as bytes of the target are done. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface EncodedDelta {
  /** One after another they are the delta. */
  readonly chunks: readonly Uint8Array[];
  readonly report: DeltaReport;
}

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
  readonly #segments: KeptSegments;
  readonly #rival: ByteRival | null;
  readonly #parts: PartReport[] = [];
  #scratch: Uint8Array = new Uint8Array(0);
  #builder = new SegmentBuilder();
  /** Where the segment that is built begins, in all target files together, and its parts in the report. */
  #segmentStart = 0;
  #segmentParts = 0;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#base = joinedReader(options.base.map(({ reader }) => reader));
    this.#target = joinedReader(options.target.map(({ reader }) => reader));
    this.#makeHasher = options.makeHasher ?? portableHasher;
    this.#segments = new KeptSegments(this.#base);
    this.#rival = options.patcher === undefined ? null : new ByteRival(options.patcher, this.#base, this.#segments);
  }

  async encode(): Promise<EncodedDelta> {
    const { base, target } = this.#options;
    const old = await placeTensors(base, this.#makeHasher);
    const fresh = await placeTensors(target, this.#makeHasher);
    const pieces = piecesOf(target, fresh, matchTensors(old, fresh));
    const readers = { base: this.#base, target: this.#target };
    const structure = await keepStructure(pieces, { base, target }, readers, this.#segments);
    this.#scratch = structure.bytes;
    if (structure.places.size > 0) {
      const sizes = { bytes: structure.bytes.byteLength, deltaBytes: this.#segments.payloadBytes };
      this.#parts.push({ name: 'structure', shape: null, file: '', strategy: 'structure', ...sizes });
      this.#segmentParts = this.#parts.length;
    }
    let file = 0;
    for (const piece of pieces) {
      if (piece.file !== file) await this.#endSegment();
      file = piece.file;
      if (piece.kind === 'tensor') await this.#tensor(piece);
      else await this.#gap(piece, structure.places.get(piece));
    }
    await this.#endSegment();
    const { segments, payloads } = this.#segments;
    const chunks = [encodeIndex(base.map(fileOf), target.map(fileOf), segments), ...payloads];
    return { chunks, report: this.#report(chunks) };
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
      await this.#copy(match.old.place, tensor.bytes);
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
      const bits = repeatedBits(fresh, best.bits);
      if (bits === null) this.#add(best, { ...part, bytes: chunk.bytes });
      else {
        this.#builder.text(fresh);
        this.#parts.push({ ...part, strategy: 'text', bytes: chunk.bytes, deltaBytes: Math.ceil(bits / 8) });
      }
    }
  }

  /** From the base, over as many segments as it takes. */
  async #copy(from: number, length: number): Promise<void> {
    for (let done = 0; done < length; ) {
      if (!this.#builder.hasRoomFor(1, 1)) await this.#endSegment();
      const bytes = Math.min(length - done, MAX_SEGMENT_BYTES - this.#builder.bytes);
      if (!this.#builder.hasRoomFor(bytes, bytes)) await this.#endSegment();
      this.#builder.copy({ offset: from + done, bytes });
      done += bytes;
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
    const named = { name: 'bytes', shape: null, file };
    if (part.kind === 'copy') {
      await this.#copy(part.from, part.bytes);
      this.#parts.push({ ...named, strategy: 'copy', bytes: part.bytes, deltaBytes: 8 });
    } else if (part.kind === 'values') {
      const bytes = part.fresh.byteLength;
      if (!this.#builder.hasRoomFor(bytes, bytes)) await this.#endSegment();
      this.#add(part.candidate, { ...named, bytes });
    } else {
      const bytes = part.fresh.byteLength;
      const { dictionary } = part;
      if (!this.#builder.hasRoomFor(bytes, dictionary?.bytes ?? 0)) await this.#endSegment();
      if (dictionary !== null) {
        this.#builder.addDictionary(dictionary, await this.#base.read(dictionary.offset, dictionary.bytes));
      }
      this.#builder.text(part.fresh);
      this.#parts.push({ ...named, strategy: 'text', bytes, deltaBytes: Math.ceil(part.bits / 8) });
    }
  }

  async #endSegment(): Promise<void> {
    if (this.#builder.bytes === 0) return;
    const { operations, dictionary } = this.#builder;
    const built = this.#builder.finish();
    this.#builder = new SegmentBuilder();
    const bytes = await this.#target.read(this.#segmentStart, built.bytes);
    const rival = (await this.#rival?.against(built, operations, dictionary, bytes)) ?? null;
    if (rival !== null) this.#reportRival(rival.payload.byteLength);
    await this.#segments.keep(rival ?? built, 'output', bytes, this.#scratch);
    this.#segmentStart += built.bytes;
    this.#segmentParts = this.#parts.length;
    this.#options.onProgress?.(this.#segmentStart, this.#target.byteLength);
  }

  /** What the parts of the segment took, they take no more. */
  #reportRival(deltaBytes: number): void {
    const replaced = this.#parts.splice(this.#segmentParts);
    const bytes = replaced.reduce((sum, part) => sum + part.bytes, 0);
    for (const part of replaced) {
      const share = Math.ceil((deltaBytes * part.bytes) / Math.max(1, bytes));
      this.#parts.push({ ...part, strategy: 'bsdiff', deltaBytes: share });
    }
  }

  #report(chunks: readonly Uint8Array[]): DeltaReport {
    return {
      baseBytes: this.#base.byteLength,
      targetBytes: this.#target.byteLength,
      deltaBytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
      valueBytes: this.#segments.valueBytes,
      entropyBytes: this.#segments.entropyBytes,
      segments: this.#segments.segments.length,
      rival: this.#rival?.report ?? null,
      parts: this.#parts,
    };
  }
}

function fileOf({ name, reader, sha256 }: SourceFile): DeltaFile {
  return { name, bytes: reader.byteLength, sha256 };
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
