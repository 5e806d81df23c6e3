// A built segment and a maker of binary patches -> the same segment as one BSDIFF40 patch, where that takes less.
//
// The maker is a program of others, so it is asked only where it can win: what changed in dense numbers it cannot code in fewer
// bytes than their differences hold.
import { KerfError } from '@kerf/protocol';
import type { ByteReader } from '../byte-reader.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_PAYLOAD_BYTES } from '../format/limits.ts';
import { baseRangeOf, outputBytesOf } from '../format/operation-sizes.ts';
import type { BaseRange, Operation } from '../format/operations.ts';
import type { KeptSegments } from './kept-segments.ts';
import type { RivalReport } from './report.ts';
import { type BuiltSegment, SegmentBuilder } from './segment-builder.ts';

/** Makes a BSDIFF40 patch of at most so many bytes; null when it would be larger, or when the maker failed. */
export type BytePatcher = (old: Uint8Array, fresh: Uint8Array, maxPatchBytes: number) => Promise<Uint8Array | null>;

/** A segment that takes less than this is not worth a process. */
const LEAST_PAYLOAD_BYTES = 512;

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
    const from = hullOf([...operations.flatMap((operation) => baseRangeOf(operation) ?? []), ...dictionary]);
    if (from === null || from.bytes > MAX_SEGMENT_BASE_BYTES) return null;
    const old = await this.#base.read(from.offset, from.bytes);
    if (leastBytes(operations, old, from.offset, fresh) >= built.payload.byteLength) return null;
    this.#tried++;
    const most = Math.min(built.payload.byteLength - 1, MAX_SEGMENT_PAYLOAD_BYTES);
    const patch = await this.#patcher(old, fresh, most);
    if (patch === null) return null;
    const builder = new SegmentBuilder();
    builder.bsdiff(from, fresh.byteLength, patch);
    const rival = builder.finish();
    if (rival.payload.byteLength >= built.payload.byteLength) return null;
    if (!(await this.#isRight(rival, fresh))) return null;
    this.#kept++;
    return rival;
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

function hullOf(ranges: readonly BaseRange[]): BaseRange | null {
  if (ranges.length === 0) return null;
  const offset = Math.min(...ranges.map((range) => range.offset));
  const end = Math.max(...ranges.map((range) => range.offset + range.bytes));
  return { offset, bytes: end - offset };
}

/**
 * What a patch of bytes takes at least, about: the entropy of the differences of bytes where numbers moved, of the bytes
 * themselves where they are new; nothing for all else.
 */
function leastBytes(operations: readonly Operation[], old: Uint8Array, start: number, fresh: Uint8Array): number {
  const counts = new Uint32Array(256);
  let at = 0;
  for (const operation of operations) {
    const bytes = outputBytesOf(operation);
    const range = baseRangeOf(operation);
    const isMoved = operation.op === 'differences' || operation.op === 'snap' || operation.op === 'lowRank';
    if (isMoved && range !== null) count(counts, fresh, at, bytes, old, range.offset - start);
    else if (operation.op === 'planes') count(counts, fresh, at, bytes, null, 0);
    at += bytes;
  }
  const total = counts.reduce((sum, one) => sum + one, 0);
  let bits = 0;
  for (const one of counts) if (one > 0) bits += one * Math.log2(total / one);
  return bits / 8;
}

function count(
  counts: Uint32Array,
  fresh: Uint8Array,
  start: number,
  bytes: number,
  old: Uint8Array | null,
  from: number,
): void {
  for (let byte = 0; byte < bytes; byte++) {
    const value = ((fresh[start + byte] as number) - (old === null ? 0 : (old[from + byte] as number))) & 255;
    counts[value] = (counts[value] as number) + 1;
  }
}
