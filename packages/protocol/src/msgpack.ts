// Plain data <-> a msgpack header: msgpackr packs and unpacks, and a scanner of ours looks at the bytes first.
// A general decoder allocates what a length field declares and carries extension types; what reaches it here is plain
// data (nil, bool, number, str, array, map with str keys), whole, bounded, and strictly UTF-8.
import { Packr, Unpackr } from 'msgpackr';
import { KerfError } from './errors.ts';
import type { WireLimits } from './limits.ts';

/** What a header may be made of when it is written. A missing (undefined) entry of a map is left out. */
export type PlainValue = null | boolean | number | string | readonly PlainValue[] | PlainRecord;
export interface PlainRecord {
  readonly [key: string]: PlainValue | undefined;
}

/** What a header is made of when it was read: maps as `Map`, so that no key can reach a prototype. */
export type ReadValue = null | boolean | number | string | ReadValue[] | ReadMap;
export type ReadMap = Map<string, ReadValue>;

const PACKER = new Packr({ useRecords: false, variableMapSize: true });
const UNPACKER = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: 'number' });

/** The bytes of one value. They are the packer's until the next call: copy them. */
export function writePlain(value: PlainValue): Uint8Array {
  return PACKER.pack(withoutMissing(value));
}

/** msgpackr would write `undefined` as an extension type. */
function withoutMissing(value: PlainValue): PlainValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(withoutMissing);
  const entries = Object.entries(value).filter((entry): entry is [string, PlainValue] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutMissing(item)]));
}

function isList(value: readonly PlainValue[] | PlainRecord): value is readonly PlainValue[] {
  return Array.isArray(value);
}

/**
 * The one map that `bytes` holds. What is allocated is bounded by `maxHeaderValues`, whatever the lengths declare.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
 */
export function readPlainMap(bytes: Uint8Array, limits: WireLimits): ReadMap {
  const scanner = new Scanner(bytes, limits);
  scanner.value(1);
  if (scanner.at !== bytes.byteLength) throw malformed('header has bytes after its map');
  const value = UNPACKER.unpack(bytes) as ReadValue;
  if (!(value instanceof Map)) throw malformed('header is not a map');
  return value;
}

const UTF8_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes behind the marker of values without a length: float32, float64, uint8 to uint64, int8 to int64. */
const FIXED_BYTES = new Map([
  ...[0xc0, 0xc2, 0xc3].map((marker) => [marker, 0] as const),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map((size, index) => [0xca + index, size] as const),
]);

/** Walks over one value without making anything of it. */
class Scanner {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly limits: WireLimits;
  at = 0;
  private valuesLeft: number;

  constructor(bytes: Uint8Array, limits: WireLimits) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limits = limits;
    this.valuesLeft = limits.maxHeaderValues;
  }

  value(depth: number): void {
    const marker = this.marker();
    if (marker < 0x80 || marker >= 0xe0) return;
    if (marker < 0x90) this.map(marker & 0x0f, depth);
    else if (marker < 0xa0) this.list(marker & 0x0f, depth);
    else if (marker < 0xc0) this.text(marker & 0x1f);
    else this.marked(marker, depth);
  }

  private marked(marker: number, depth: number): void {
    const fixed = FIXED_BYTES.get(marker);
    if (fixed !== undefined) this.take(fixed);
    else if (marker >= 0xd9 && marker <= 0xdb) this.text(this.uint(2 ** (marker - 0xd9)));
    else if (marker === 0xdc || marker === 0xdd) this.list(this.uint(marker === 0xdc ? 2 : 4), depth);
    else if (marker === 0xde || marker === 0xdf) this.map(this.uint(marker === 0xde ? 2 : 4), depth);
    else throw malformed(`header holds a value of kind 0x${marker.toString(16)}, which is not plain data`);
  }

  private list(count: number, depth: number): void {
    this.enter(count, depth);
    for (let index = 0; index < count; index++) this.value(depth + 1);
  }

  private map(count: number, depth: number): void {
    this.enter(count * 2, depth);
    const keys = new Set<string>();
    for (let index = 0; index < count; index++) {
      keys.add(this.key());
      if (keys.size === index) throw malformed('header has a key twice');
      this.value(depth + 1);
    }
  }

  private key(): string {
    const marker = this.marker();
    if (marker >= 0xa0 && marker < 0xc0) return this.text(marker & 0x1f);
    if (marker >= 0xd9 && marker <= 0xdb) return this.text(this.uint(2 ** (marker - 0xd9)));
    throw malformed('header has a key that is not a string');
  }

  /** Every item takes at least a byte, so a count beyond the rest is a lie. */
  private enter(items: number, depth: number): void {
    if (depth > this.limits.maxHeaderDepth) throw tooLarge(`header nests deeper than ${this.limits.maxHeaderDepth}`);
    if (items > this.bytes.byteLength - this.at) throw malformed('header ends within a list or map');
  }

  private text(length: number): string {
    const start = this.take(length);
    try {
      return UTF8_DECODER.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      throw new KerfError('MESSAGE_MALFORMED', 'header holds a string that is not UTF-8', { cause });
    }
  }

  private marker(): number {
    if (--this.valuesLeft < 0) throw tooLarge(`header holds more than ${this.limits.maxHeaderValues} values`);
    return this.uint(1);
  }

  private uint(size: number): number {
    const at = this.take(size);
    if (size === 1) return this.view.getUint8(at);
    return size === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private take(count: number): number {
    const start = this.at;
    if (count > this.bytes.byteLength - start) throw malformed('header ends within a value');
    this.at = start + count;
    return start;
  }
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', `${what}; the peer does not follow the kerf protocol`);
}

function tooLarge(what: string): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', what);
}
