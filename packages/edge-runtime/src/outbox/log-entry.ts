// What the outbox knows <-> payloads of its log: a number, plain data as JSON, and bytes.
import type { Picture } from '../capture/capture.ts';
import type { ResultRecord, Verdict } from '../station/result-record.ts';

export type LogEntry =
  /** Stands first in every segment, so that older ones can go: what they said that still counts. */
  | {
      readonly kind: 'checkpoint';
      readonly nextSeq: number;
      readonly cursors: Cursors;
      /** Keys of records put lately, oldest first: they are not taken again. */
      readonly seen: readonly string[];
    }
  | { readonly kind: 'record'; readonly record: ResultRecord }
  /** The picture of a provisional record, kept until a final one settles it. */
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'acks'; readonly cursors: Cursors }
  /** A final record has come for this provisional one: its picture is not needed any more. */
  | { readonly kind: 'settled' }
  /** Given up for want of room. */
  | { readonly kind: 'dropped' };

/** By sink: it has every record up to and with this number. */
export type Cursors = Readonly<Record<string, number>>;

/** `seq` is the number of the record that the entry is or is about; 0 where it is about none. */
export interface NumberedEntry {
  readonly seq: number;
  readonly entry: LogEntry;
}

const KINDS = new Set<LogEntry['kind']>(['checkpoint', 'record', 'picture', 'acks', 'settled', 'dropped']);
const NOTHING = new Uint8Array(0);
/** f64 seq, u32 length of the JSON, little-endian; then the JSON and the bytes of a picture. */
const HEAD_BYTES = 12;

/** A payload whose number is set later. */
export class EncodedEntry {
  readonly byteLength: number;
  readonly #text: Uint8Array;
  readonly #bytes: Uint8Array;

  constructor(entry: LogEntry) {
    const [json, bytes] = entry.kind === 'picture' ? splitPicture(entry.picture) : [entry, NOTHING];
    this.#text = new TextEncoder().encode(JSON.stringify(json));
    this.#bytes = bytes;
    this.byteLength = HEAD_BYTES + this.#text.byteLength + bytes.byteLength;
  }

  numbered(seq: number): Uint8Array[] {
    const head = new Uint8Array(HEAD_BYTES);
    const view = new DataView(head.buffer);
    view.setFloat64(0, seq, true);
    view.setUint32(8, this.#text.byteLength, true);
    return [head, this.#text, this.#bytes];
  }
}

function splitPicture(picture: Picture): [object, Uint8Array] {
  if (picture.kind === 'encoded') return [{ kind: 'picture', format: picture.format }, picture.bytes];
  const { width, height, data } = picture.image;
  return [{ kind: 'picture', width, height }, data];
}

/** Null for what a later version wrote and this one does not know. A picture's bytes are a view of `payload`. */
export function decodeEntry(payload: Uint8Array): NumberedEntry | null {
  if (payload.byteLength < HEAD_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, HEAD_BYTES);
  const end = HEAD_BYTES + view.getUint32(8, true);
  if (end > payload.byteLength) return null;
  try {
    const json = JSON.parse(new TextDecoder().decode(payload.subarray(HEAD_BYTES, end))) as LogEntry;
    if (!KINDS.has(json.kind)) return null;
    const entry = json.kind === 'picture' ? joinPicture(json as never, payload.subarray(end)) : json;
    return { seq: view.getFloat64(0, true), entry };
  } catch {
    return null;
  }
}

type PictureJson = { format: 'png' | 'jpeg' | 'webp' } | { width: number; height: number };

function joinPicture(json: PictureJson, bytes: Uint8Array): LogEntry {
  if ('format' in json) return { kind: 'picture', picture: { kind: 'encoded', format: json.format, bytes } };
  const { width, height } = json;
  return { kind: 'picture', picture: { kind: 'pixels', image: { width, height, data: bytes } } };
}

/** What tells one record from all others. */
export function keyOf({ resultId, revision }: ResultRecord): string {
  return `${resultId}#${revision}`;
}

/** When the outbox is full, records of the first class go first, oldest first; those of the last never go. */
export type DropClass = 0 | 1 | 2;

const DROP_CLASSES: Record<Verdict, DropClass> = { PASS: 0, REVIEW: 1, NO_READ: 1, ERROR: 1, NG: 2 };

export function dropClassOf({ verdict }: ResultRecord): DropClass {
  return DROP_CLASSES[verdict];
}
