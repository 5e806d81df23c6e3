// Two sets of files -> the delta that makes the second of the first.

import { type ByteReader, joinedReader } from '../byte-reader.ts';
import { type DeltaFile, encodeIndex, type FormatVersion, LAST_FORMAT } from '../format/patch-index.ts';
import { type MakeHasher, portableHasher } from '../hash.ts';
import { type BytePatcher, ByteRival } from './byte-rival.ts';
import { TensorEncoder } from './encode-tensor.ts';
import { KeptSegments } from './kept-segments.ts';
import { LostTensors } from './lost-tensors.ts';
import { matchBytes } from './match-bytes.ts';
import { lostTensors, matchTensors } from './match-tensors.ts';
import { OutputWriter } from './output-writer.ts';
import { type GapPiece, piecesOf } from './pieces.ts';
import { placeTensors } from './place-tensors.ts';
import type { DeltaReport, PartReport } from './report.ts';
import type { SourceFile } from './source-files.ts';
import { keepStructure, type Structure } from './structure.ts';
import { widenCopies } from './widen-copies.ts';

export interface EncodeOptions {
  readonly base: readonly SourceFile[];
  readonly target: readonly SourceFile[];
  /** @default the portable one */
  readonly makeHasher?: MakeHasher;
  /** Tried against each segment; the smaller one is kept. @default none */
  readonly patcher?: BytePatcher;
  /** The newest version of the format that may be used: 1 for devices that read no other. @default the last */
  readonly format?: FormatVersion;
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
  readonly #readers: { readonly base: ByteReader; readonly target: ByteReader };
  readonly #makeHasher: MakeHasher;
  readonly #segments: KeptSegments;
  readonly #rival: ByteRival | null;
  readonly #format: FormatVersion;

  constructor(options: EncodeOptions) {
    this.#options = options;
    const base = joinedReader(options.base.map(({ reader }) => reader));
    this.#readers = { base, target: joinedReader(options.target.map(({ reader }) => reader)) };
    this.#makeHasher = options.makeHasher ?? portableHasher;
    this.#segments = new KeptSegments(base);
    this.#format = options.format ?? LAST_FORMAT;
    this.#rival = options.patcher === undefined ? null : new ByteRival(options.patcher, base, this.#segments);
  }

  async encode(): Promise<EncodedDelta> {
    const { base, target, onProgress } = this.#options;
    const old = await placeTensors(base, this.#makeHasher);
    const fresh = await placeTensors(target, this.#makeHasher);
    const matches = matchTensors(old, fresh);
    const { pieces, taken } = await widenCopies(piecesOf(target, fresh, matches), this.#readers);
    const structure = await keepStructure(
      { pieces, taken },
      { base, target },
      this.#readers,
      this.#segments,
      this.#format,
    );
    const kept = { segments: this.#segments, scratch: structure.bytes, format: this.#format };
    const writer = new OutputWriter(this.#readers, kept, this.#rival, (doneBytes) =>
      onProgress?.(doneBytes, this.#readers.target.byteLength),
    );
    const structurePart = this.#structurePart(structure);
    const lost = new LostTensors(lostTensors(old, matches), this.#readers.base);
    const tensors = new TensorEncoder(this.#readers, writer, lost, this.#format);
    let file = 0;
    for (const piece of pieces) {
      if (piece.file !== file) await writer.endSegment();
      file = piece.file;
      const { name } = target[file] as SourceFile;
      if (piece.kind === 'tensor') await tensors.encode(piece, name);
      else if (structure.places.has(piece)) await writer.scratch(structure.places.get(piece) as number, piece.bytes);
      else await this.#bytesOf(piece, name, writer);
    }
    await writer.endSegment();
    const { segments, payloads, version } = this.#segments;
    const chunks = [encodeIndex(base.map(fileOf), target.map(fileOf), segments, version), ...payloads];
    return { chunks, report: this.#report(chunks, [...structurePart, ...writer.parts]) };
  }

  #structurePart({ bytes, places }: Structure): PartReport[] {
    if (places.size === 0) return [];
    const sizes = { bytes: bytes.byteLength, deltaBytes: this.#segments.payloadBytes };
    return [{ name: 'structure', shape: null, file: '', strategy: 'structure', ...sizes }];
  }

  /** A file of an unknown kind, or what did not fit the scratch: copies, numbers where they fit, and text. */
  async #bytesOf({ place, bytes }: GapPiece, file: string, writer: OutputWriter): Promise<void> {
    const parts = matchBytes(this.#oldFor(file), { place, reader: this.#readers.target, bytes }, this.#format);
    const named = { name: 'bytes', shape: null, file };
    for await (const part of parts) {
      if (part.kind === 'copy') await writer.copy(part.from, part.bytes, named);
      else if (part.kind === 'cumulative') await writer.cumulative(part, part.bits, named);
      else if (part.kind === 'sum') await writer.sum(part.fresh, part.addend, part.bits, named);
      else if (part.kind === 'values') await writer.values(part.candidate, part.fresh.byteLength, named);
      else await writer.text(part.fresh, part.dictionary === null ? [] : [part.dictionary], part.bits, named);
    }
  }

  /** The base file of the same name, or the only one. */
  #oldFor(wanted: string): { place: number; bytes: number; reader: ByteReader } | null {
    let place = 0;
    const { base } = this.#options;
    for (const { name, reader } of base) {
      const { byteLength } = reader;
      if (name === wanted || base.length === 1) return { place, bytes: byteLength, reader: this.#readers.base };
      place += byteLength;
    }
    return null;
  }

  #report(chunks: readonly Uint8Array[], parts: readonly PartReport[]): DeltaReport {
    return {
      baseBytes: this.#readers.base.byteLength,
      targetBytes: this.#readers.target.byteLength,
      deltaBytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
      valueBytes: this.#segments.valueBytes,
      entropyBytes: this.#segments.entropyBytes,
      segments: this.#segments.segments.length,
      format: this.#segments.version,
      rival: this.#rival?.report ?? null,
      parts,
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
