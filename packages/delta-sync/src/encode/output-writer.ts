// Operations in output order -> segments, each closed when it is full, with its rival tried and its parts reported.
import type { ByteReader } from '../byte-reader.ts';
import { textToAccumulate, textToAdd } from '../codec/sums.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import { baseBytesOf } from '../format/operation-sizes.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import type { ByteRival } from './byte-rival.ts';
import type { KeptSegments } from './kept-segments.ts';
import { SegmentPlanes } from './plane-counts.ts';
import { type PartReport, strategyOf } from './report.ts';
import { SegmentBuilder } from './segment-builder.ts';
import type { Candidate } from './tensor-candidates.ts';
import { textRival } from './text-rival.ts';

/** What a part is, before it is known how it is made. */
export type NamedPart = Pick<PartReport, 'name' | 'shape' | 'file'>;

/** Old bytes that a text is added to. */
export interface Addend {
  readonly old: Uint8Array;
  readonly place: number;
  readonly elementBytes: 1 | 2 | 4 | 8;
}

/** Elements that are told by how far each is from the one that the stride is in front of it. */
export interface Steps {
  readonly fresh: Uint8Array;
  readonly elementBytes: 1 | 2 | 4 | 8;
  readonly stride: number;
}

/** What a copy takes, about. */
const COPY_BYTES = 8;
/** What a new segment takes, about: its place in the index and its tables; what a text has learnt; tables of many contexts. */
const SEGMENT_BITS = 8 * 300;
const TEXT_BITS = 8 * 700;
const DIFFERENCES_BITS = 8 * 4096;

export class OutputWriter {
  readonly #readers: { readonly base: ByteReader; readonly target: ByteReader };
  readonly #segments: KeptSegments;
  readonly #rival: ByteRival | null;
  readonly #scratch: Uint8Array;
  readonly #format: FormatVersion;
  readonly #onSegment: (doneBytes: number) => void;
  readonly parts: PartReport[] = [];
  #builder: SegmentBuilder;
  #planes = new SegmentPlanes();
  /** What a new segment takes more than going on with this one. */
  #newSegmentBits = SEGMENT_BITS;
  /** Where the segment that is built begins, in all target files together, and its parts in the report. */
  #segmentStart = 0;
  #segmentParts = 0;

  constructor(
    readers: { readonly base: ByteReader; readonly target: ByteReader },
    kept: { readonly segments: KeptSegments; readonly scratch: Uint8Array; readonly format: FormatVersion },
    rival: ByteRival | null,
    onSegment: (doneBytes: number) => void,
  ) {
    this.#readers = readers;
    this.#segments = kept.segments;
    this.#scratch = kept.scratch;
    this.#format = kept.format;
    this.#builder = new SegmentBuilder(kept.format);
    this.#rival = rival;
    this.#onSegment = onSegment;
  }

  /** From the base, over as many segments as it takes. */
  async copy(from: number, length: number, part: NamedPart): Promise<void> {
    await this.#copy(from, length);
    this.parts.push({ ...part, strategy: 'copy', bytes: length, deltaBytes: COPY_BYTES });
  }

  /** Many short ones that make one part. */
  async copies(ranges: readonly BaseRange[], part: NamedPart): Promise<void> {
    for (const { offset, bytes } of ranges) await this.#copy(offset, bytes);
    const length = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    this.parts.push({ ...part, strategy: 'copy', bytes: length, deltaBytes: ranges.length });
  }

  async #copy(from: number, length: number): Promise<void> {
    for (let done = 0; done < length; ) {
      if (!this.#builder.hasRoomFor(1, 1)) await this.endSegment();
      const bytes = Math.min(length - done, MAX_SEGMENT_BYTES - this.#builder.bytes, MAX_SEGMENT_BASE_BYTES / 2);
      if (!this.#builder.hasRoomFor(bytes, bytes)) await this.endSegment();
      this.#builder.copy({ offset: from + done, bytes });
      done += bytes;
    }
  }

  /** From the scratch, over as many segments as it takes. */
  async scratch(from: number, length: number): Promise<void> {
    for (let done = 0; done < length; ) {
      if (!this.#builder.hasRoomFor(1, 0)) await this.endSegment();
      const bytes = Math.min(length - done, MAX_SEGMENT_BYTES - this.#builder.bytes);
      this.#builder.add({ op: 'scratch', offset: from + done, bytes });
      done += bytes;
    }
  }

  /** Of at most a segment. */
  async values({ operation, bits, write, planes }: Candidate, bytes: number, part: NamedPart): Promise<void> {
    const isApart = planes !== undefined && this.#planes.bitsShared(planes) > this.#newSegmentBits;
    if (isApart || !this.#builder.hasRoomFor(bytes, baseBytesOf(operation))) await this.endSegment();
    if (planes === undefined) this.#newSegmentBits = DIFFERENCES_BITS;
    else this.#planes.add(planes);
    this.#builder.add(operation, write);
    this.parts.push({ ...part, bytes, strategy: strategyOf(operation.op), deltaBytes: Math.ceil(bits / 8) });
  }

  /** At most a segment, and at most a segment of the base in front of it. */
  async text(fresh: Uint8Array, dictionary: readonly BaseRange[], bits: number, part: NamedPart): Promise<void> {
    const before = dictionary.reduce((sum, { bytes }) => sum + bytes, 0);
    if (!this.#builder.hasRoomFor(fresh.byteLength, before)) await this.endSegment();
    for (const range of dictionary) {
      if (this.#builder.dictionary.some(({ offset, bytes }) => offset === range.offset && bytes === range.bytes))
        continue;
      this.#builder.addDictionary(range, await this.#readers.base.read(range.offset, range.bytes));
    }
    this.#newSegmentBits = Math.max(this.#newSegmentBits, TEXT_BITS);
    this.#builder.text(fresh);
    this.parts.push({ ...part, strategy: 'text', bytes: fresh.byteLength, deltaBytes: Math.ceil(bits / 8) });
  }

  /** What is added to a range of the base of as many bytes, at most a segment. */
  async sum(fresh: Uint8Array, { old, place, elementBytes }: Addend, bits: number, part: NamedPart): Promise<void> {
    if (!this.#builder.hasRoomFor(fresh.byteLength, fresh.byteLength)) await this.endSegment();
    this.#newSegmentBits = Math.max(this.#newSegmentBits, TEXT_BITS);
    const range = { offset: place, bytes: fresh.byteLength };
    this.#builder.sum(range, elementBytes, textToAdd(old, fresh, elementBytes));
    this.parts.push({ ...part, strategy: 'added', bytes: fresh.byteLength, deltaBytes: Math.ceil(bits / 8) });
  }

  /** What is added to its own elements in front, at most a segment. */
  async cumulative({ fresh, elementBytes, stride }: Steps, bits: number, part: NamedPart): Promise<void> {
    if (!this.#builder.hasRoomFor(fresh.byteLength, 0)) await this.endSegment();
    this.#newSegmentBits = Math.max(this.#newSegmentBits, TEXT_BITS);
    this.#builder.cumulative({ elementBytes, stride }, textToAccumulate(fresh, elementBytes, stride));
    this.parts.push({ ...part, strategy: 'cumulative', bytes: fresh.byteLength, deltaBytes: Math.ceil(bits / 8) });
  }

  async endSegment(): Promise<void> {
    if (this.#builder.bytes === 0) return;
    const { operations, dictionary } = this.#builder;
    const numbers = { built: this.#builder.finish(), operations, dictionary };
    this.#builder = new SegmentBuilder(this.#format);
    this.#planes = new SegmentPlanes();
    this.#newSegmentBits = SEGMENT_BITS;
    const bytes = await this.#readers.target.read(this.#segmentStart, numbers.built.bytes);
    const text = await textRival(numbers.built, operations, dictionary, bytes, this.#readers.base, this.#format);
    if (text !== null) this.#reportRival('text', text.built.payload.byteLength);
    const best = text ?? numbers;
    const { built } = best;
    const patch = (await this.#rival?.against(built, best.operations, best.dictionary, bytes)) ?? null;
    if (patch !== null) this.#reportRival('bsdiff', patch.payload.byteLength);
    await this.#segments.keep(patch ?? built, 'output', bytes, this.#scratch);
    this.#segmentStart += built.bytes;
    this.#segmentParts = this.parts.length;
    this.#onSegment(this.#segmentStart);
  }

  /** What the parts of the segment took, they take no more. */
  #reportRival(strategy: 'text' | 'bsdiff', deltaBytes: number): void {
    const replaced = this.parts.splice(this.#segmentParts);
    const bytes = replaced.reduce((sum, part) => sum + part.bytes, 0);
    for (const part of replaced) {
      const share = Math.ceil((deltaBytes * part.bytes) / Math.max(1, bytes));
      this.parts.push({ ...part, strategy, deltaBytes: share });
    }
  }
}
