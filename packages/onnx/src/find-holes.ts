// The headers of a large model file's fields -> where its large raw data lies.
import type { FileHandle } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import { CHILDREN, type MessageKind } from './external-rewrite.ts';
import { MODEL, TENSOR } from './schema.ts';
import { FieldReader, type Span, WIRE } from './wire-reader.ts';

/** One read serves the headers of many small fields. */
const WINDOW_BYTES = 64 * 1024;
/** More than a tag of five bytes and a length of ten. */
const HEADER_BYTES = 32;
/** Beyond this, the rest of the file is read whole: the walk must not cost more than it saves. */
const MAX_FIELDS = 500_000;

const MODEL_CHILDREN: Children = { [MODEL.graph]: 'graph', [MODEL.functions]: 'function' };

type Children = Readonly<Record<number, MessageKind>>;

/**
 * The `raw_data` of every tensor, at any depth, that has `minBytes` or more; ascending. Where the file is not
 * well-formed the walk ends: the full reading says what is wrong with it.
 */
export async function findHoles(handle: FileHandle, byteLength: number, minBytes: number): Promise<readonly Span[]> {
  const holes: Span[] = [];
  try {
    const walk = new Walk(handle, byteLength, minBytes, holes);
    await walk.enter({ start: 0, end: byteLength }, MODEL_CHILDREN);
  } catch (error) {
    if (!KerfError.is(error)) throw error;
  }
  return holes;
}

/** Walks into large messages alone. */
class Walk {
  readonly #handle: FileHandle;
  readonly #byteLength: number;
  readonly #minBytes: number;
  readonly #holes: Span[];
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;
  #fields = 0;

  constructor(handle: FileHandle, byteLength: number, minBytes: number, holes: Span[]) {
    this.#handle = handle;
    this.#byteLength = byteLength;
    this.#minBytes = minBytes;
    this.#holes = holes;
  }

  /** @param children which fields hold messages of interest; null inside a tensor. */
  async enter(span: Span, children: Children | null): Promise<void> {
    for (let at = span.start; at < span.end && this.#fields < MAX_FIELDS; this.#fields++) {
      const head = await this.#headerAt(at);
      // A group has no length of its own.
      if (((head[0] ?? 0) & 7) === WIRE.groupStart) return;
      const reader = new FieldReader(head, { start: 0, end: span.end - at }, () => '');
      if (!reader.next()) return;
      const value = { start: at + reader.start, end: at + reader.end };
      at = value.end;
      if (reader.wire !== WIRE.bytes || value.end - value.start < this.#minBytes) continue;
      if (children === null) {
        if (reader.field === TENSOR.rawData) this.#holes.push(value);
        continue;
      }
      const child = children[reader.field];
      if (child !== undefined) await this.enter(value, child === 'tensor' ? null : CHILDREN[child]);
    }
  }

  async #headerAt(at: number): Promise<Uint8Array> {
    const wanted = Math.min(HEADER_BYTES, this.#byteLength - at);
    if (at < this.#windowStart || at + wanted > this.#windowEnd) {
      const { bytesRead } = await this.#handle.read(this.#window, 0, WINDOW_BYTES, at);
      this.#windowStart = at;
      this.#windowEnd = at + bytesRead;
    }
    const from = at - this.#windowStart;
    return this.#window.subarray(from, Math.min(from + HEADER_BYTES, this.#windowEnd - this.#windowStart));
  }
}
