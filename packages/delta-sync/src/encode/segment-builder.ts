// Operations and their values, one after another -> the payload of a segment, and what the index says of it.
import { ALL_CONTEXTS } from '../apply/decode-segment.ts';
import type { ValueWriters } from '../codec/differences.ts';
import { type CodedText, encodeText } from '../codec/text-encode.ts';
import { BitEncoder } from '../coder/bit-coder.ts';
import { ByteSink } from '../coder/byte-io.ts';
import { RawBitWriter } from '../coder/raw-bits.ts';
import { TokenWriter } from '../coder/token-stream.ts';
import { MAX_OPERATIONS, MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES } from '../format/limits.ts';
import { baseBytesOf, formatVersionOf, outputBytesOf } from '../format/operation-sizes.ts';
import type { AddOperation, BaseRange, CumulativeOperation, Operation } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import { writeProgram } from '../format/write-program.ts';

export interface BuiltSegment {
  readonly bytes: number;
  readonly baseBytes: number;
  readonly payload: Uint8Array;
  /** Of the tokens, if frequencies were exact and cost nothing; bits below them as they are. */
  readonly entropyBytes: number;
  /** Of tokens and bits as they are. */
  readonly valueBytes: number;
  /** The least version of the format that has its operations. */
  readonly version: FormatVersion;
}

export class SegmentBuilder {
  readonly #format: FormatVersion;
  readonly #operations: Operation[] = [];
  readonly #tokens = new TokenWriter(ALL_CONTEXTS);
  readonly #raw = new RawBitWriter();
  readonly #text = new ByteSink();
  readonly #patches = new ByteSink();
  readonly #dictionary: { readonly range: BaseRange; readonly bytes: Uint8Array }[] = [];
  #bytes = 0;
  #baseBytes = 0;

  /** @param format the newest version that may be used */
  constructor(format: FormatVersion) {
    this.#format = format;
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Ranges of the base in front of the text. */
  get dictionary(): readonly BaseRange[] {
    return this.#dictionary.map(({ range }) => range);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an operation that makes and reads so much still fits. */
  hasRoomFor(bytes: number, baseBytes: number): boolean {
    return (
      this.#bytes + bytes <= MAX_SEGMENT_BYTES &&
      this.#baseBytes + baseBytes <= MAX_SEGMENT_BASE_BYTES &&
      this.#operations.length < MAX_OPERATIONS
    );
  }

  /** More of the base to stand in front of the segment's text. */
  addDictionary(range: BaseRange, bytes: Uint8Array): void {
    this.#dictionary.push({ range, bytes });
    this.#baseBytes += range.bytes;
  }

  /** A copy that goes on where the last one ended becomes part of it. */
  copy(range: BaseRange): void {
    const last = this.#operations.at(-1);
    if (last?.op === 'copy' && last.offset + last.bytes === range.offset) {
      this.#operations.pop();
      this.#bytes -= last.bytes;
      this.#baseBytes -= last.bytes;
      this.add({ op: 'copy', offset: last.offset, bytes: last.bytes + range.bytes });
    } else this.add({ op: 'copy', ...range });
  }

  text(bytes: Uint8Array): void {
    this.#text.append(bytes);
    this.add({ op: 'text', bytes: bytes.byteLength });
  }

  /** @param text what is added to the range */
  sum({ offset, bytes }: BaseRange, elementBytes: AddOperation['elementBytes'], text: Uint8Array): void {
    this.#text.append(text);
    this.add({ op: 'add', elementBytes, offset, bytes });
  }

  /** @param text what is added to the elements in front */
  cumulative({ elementBytes, stride }: Pick<CumulativeOperation, 'elementBytes' | 'stride'>, text: Uint8Array): void {
    this.#text.append(text);
    this.add({ op: 'cumulative', elementBytes, stride, bytes: text.byteLength });
  }

  bsdiff(from: BaseRange, bytes: number, patch: Uint8Array): void {
    this.#patches.append(patch);
    this.add({ op: 'bsdiff', from, bytes, patchBytes: patch.byteLength });
  }

  /** @param write puts the values of the operation into the segment's streams */
  add(operation: Operation, write?: (writers: ValueWriters) => void): void {
    write?.({ tokens: this.#tokens, raw: this.#raw });
    this.#operations.push(operation);
    this.#bytes += outputBytesOf(operation);
    this.#baseBytes += baseBytesOf(operation);
  }

  finish(): BuiltSegment {
    const control = new ByteSink(1024);
    const coder = new BitEncoder(control);
    const { stream: text, hasRuns } = this.#encodedText();
    writeProgram(coder, { dictionary: this.dictionary, operations: this.#operations });
    const { words, entropyBits } = this.#tokens.finish(coder);
    coder.finish();
    const raw = this.#raw.finish();
    const payload = new ByteSink(control.length + text.byteLength + words.byteLength + raw.byteLength + 64);
    for (const part of [control.written(), text, words, raw, this.#patches.written()]) {
      payload.number(part.byteLength);
      payload.append(part);
    }
    return {
      bytes: this.#bytes,
      baseBytes: this.#baseBytes,
      payload: payload.written(),
      entropyBytes: Math.ceil(entropyBits / 8) + raw.byteLength,
      valueBytes: words.byteLength + raw.byteLength,
      version: Math.max(hasRuns ? 3 : 1, formatVersionOf(this.#operations)) as FormatVersion,
    };
  }

  #encodedText(): CodedText {
    if (this.#text.length === 0) return { stream: new Uint8Array(0), hasRuns: false };
    const start = this.#dictionary.reduce((sum, { range }) => sum + range.bytes, 0);
    const history = new Uint8Array(start + this.#text.length);
    let at = 0;
    for (const { bytes } of this.#dictionary) {
      history.set(bytes, at);
      at += bytes.byteLength;
    }
    history.set(this.#text.written(), start);
    return encodeText(history, start, this.#format >= 3);
  }
}
