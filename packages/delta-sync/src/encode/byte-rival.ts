// A built segment and a maker of binary patches -> the same segment as one BSDIFF40 patch, where that takes less.
//
// The maker is a program of others, so it is asked only where it is likely to win: what changed in dense numbers it cannot code in
// fewer bytes than their differences hold.
import { KerfError } from '@kerf/protocol';
import type { ByteReader } from '../byte-reader.ts';
import { encodeText } from '../codec/text-encode.ts';
import { ByteSink } from '../coder/byte-io.ts';
import { entropyBitsOf } from '../coder/cluster.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_PAYLOAD_BYTES } from '../format/limits.ts';
import { baseRangeOf, hullOf, outputBytesOf } from '../format/operation-sizes.ts';
import type { BaseRange, Operation } from '../format/operations.ts';
import type { KeptSegments } from './kept-segments.ts';
import type { RivalReport } from './report.ts';
import { sampleOf } from './sample.ts';
import { type BuiltSegment, SegmentBuilder } from './segment-builder.ts';

/** Makes a BSDIFF40 patch of at most so many bytes; null when it would be larger, or when the maker failed. */
export type BytePatcher = (old: Uint8Array, fresh: Uint8Array, maxPatchBytes: number) => Promise<Uint8Array | null>;

/** What bytes of the same place in the base say nothing of. */
const WITHOUT_OLD: ReadonlySet<Operation['op']> = new Set(['planes', 'turned', 'turnedPart']);
/** A segment that takes less than this is not worth a process. */
const LEAST_PAYLOAD_BYTES = 512;
/** Pieces of this size are looked at to know what a patch would take. */
const PIECE_BYTES = 16 * 1024;

export class ByteRival {
  readonly #patcher: BytePatcher;
  readonly #base: ByteReader;
  readonly #segments: KeptSegments;
  #tried = 0;
  #kept = 0;

  constructor(patcher: BytePatcher, base: ByteReader, segments: KeptSegments) {
    this.#patcher = patcher;
    this.#base = base;
    this.#segments = segments;
  }

  get report(): RivalReport {
    return { tried: this.#tried, kept: this.#kept };
  }

  /** The rival; null where it cannot be, fails, takes more, or does not decode to the same bytes. */
  async against(
    built: BuiltSegment,
    operations: readonly Operation[],
    dictionary: readonly BaseRange[],
    fresh: Uint8Array,
  ): Promise<BuiltSegment | null> {
    if (built.payload.byteLength < LEAST_PAYLOAD_BYTES) return null;
    const from = this.#baseFor(operations, dictionary);
    if (from === null || from.bytes > MAX_SEGMENT_BASE_BYTES) return null;
    const old = await this.#base.read(from.offset, from.bytes);
    if (patchBytes(operations, old, from.offset, fresh) >= built.payload.byteLength) return null;
    this.#tried++;
    const most = Math.min(built.payload.byteLength - 1, MAX_SEGMENT_PAYLOAD_BYTES);
    const patch = await this.#patcher(old, fresh, most);
    if (patch === null) return null;
    const builder = new SegmentBuilder(1);
    builder.bsdiff(from, fresh.byteLength, patch);
    const rival = builder.finish();
    if (rival.payload.byteLength >= built.payload.byteLength) return null;
    if (!(await this.#isRight(rival, fresh))) return null;
    this.#kept++;
    return rival;
  }

  /** All that the operations read; where they use the scratch, which a patch cannot, the old structure too: all of a small base. */
  #baseFor(operations: readonly Operation[], dictionary: readonly BaseRange[]): BaseRange | null {
    const { byteLength } = this.#base;
    const hasScratch = operations.some(({ op }) => op === 'scratch');
    if (hasScratch && byteLength <= MAX_SEGMENT_BASE_BYTES) return { offset: 0, bytes: byteLength };
    return hullOf([...operations.flatMap((operation) => baseRangeOf(operation) ?? []), ...dictionary]);
  }

  async #isRight(rival: BuiltSegment, fresh: Uint8Array): Promise<boolean> {
    try {
      return await this.#segments.isRight(rival, fresh, new Uint8Array(0));
    } catch (error) {
      if (KerfError.is(error) && error.code === 'DELTA_MALFORMED') return false;
      throw error;
    }
  }
}

/**
 * What a patch of bytes takes, about: the differences of bytes where numbers moved, the bytes themselves where they are new, by
 * their frequencies or as a text, whichever is less; nothing for all else.
 */
function patchBytes(operations: readonly Operation[], old: Uint8Array, start: number, fresh: Uint8Array): number {
  const moved = movedBytes(operations, old, start, fresh);
  return Math.min(entropyBytes(moved), textBytes(moved));
}

function movedBytes(operations: readonly Operation[], old: Uint8Array, start: number, fresh: Uint8Array): Uint8Array {
  const moved = new ByteSink(fresh.byteLength);
  let at = 0;
  for (const operation of operations) {
    const bytes = outputBytesOf(operation);
    const range = baseRangeOf(operation);
    const made = fresh.subarray(at, at + bytes);
    at += bytes;
    if (WITHOUT_OLD.has(operation.op)) moved.append(made);
    else if (operation.op === 'differences' || operation.op === 'snap' || operation.op === 'lowRank') {
      const from = (range as BaseRange).offset - start;
      moved.append(made.map((value, byte) => value - (old[from + byte] as number)));
    }
  }
  return moved.written();
}

function entropyBytes(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  return entropyBitsOf(counts) / 8;
}

function textBytes(bytes: Uint8Array): number {
  if (bytes.byteLength === 0) return 0;
  const sample = sampleOf(bytes, PIECE_BYTES);
  return (encodeText(sample, 0, false).stream.byteLength * bytes.byteLength) / sample.byteLength;
}
