// Plain data <-> the subset of MessagePack that a header uses: nil, bool, number, str, array, map with str keys.
// Written here because a general decoder allocates what a length field declares and carries extension types.
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

const UTF8_ENCODER = new TextEncoder();
const UTF8_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TWO_32 = 2 ** 32;

/** The bytes of one value, shortest form of each length and integer; other numbers as float64. */
export function writePlain(value: PlainValue): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes.subarray(0, writer.at);
}

class Writer {
  bytes = new Uint8Array(512);
  view = new DataView(this.bytes.buffer);
  at = 0;

  value(value: PlainValue): void {
    if (value === null) this.byte(0xc0);
    else if (typeof value === 'boolean') this.byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(value);
    else if (isList(value)) {
      this.count(value.length, 0x90, 15, 0xdc);
      for (const item of value) this.value(item);
    } else this.record(value);
  }

  private record(record: PlainRecord): void {
    const entries = Object.entries(record).filter((entry): entry is [string, PlainValue] => entry[1] !== undefined);
    this.count(entries.length, 0x80, 15, 0xde);
    for (const [key, item] of entries) {
      this.text(key);
      this.value(item);
    }
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.float64(value);
    else if (value >= 0 && value < 0x80) this.byte(value);
    else if (value < 0 && value >= -32) this.byte(value & 0xff);
    else if (value >= 0 && value < TWO_32) this.unsigned(value);
    else this.integer64(value);
  }

  private unsigned(value: number): void {
    if (value < 0x100) {
      this.byte(0xcc);
      this.byte(value);
    } else if (value < 0x1_0000) {
      this.byte(0xcd);
      this.uint16(value);
    } else {
      this.byte(0xce);
      this.uint32(value);
    }
  }

  private integer64(value: number): void {
    this.byte(value < 0 ? 0xd3 : 0xcf);
    this.uint32(Math.floor(value / TWO_32) >>> 0);
    this.uint32(value >>> 0);
  }

  private text(value: string): void {
    const encoded = UTF8_ENCODER.encode(value);
    const { length } = encoded;
    if (length < 32) this.byte(0xa0 | length);
    else if (length < 0x100) {
      this.byte(0xd9);
      this.byte(length);
    } else this.longCount(length, 0xda);
    this.reserve(length);
    this.bytes.set(encoded, this.at);
    this.at += length;
  }

  private count(count: number, fixed: number, fixedMax: number, long: number): void {
    if (count <= fixedMax) this.byte(fixed | count);
    else this.longCount(count, long);
  }

  /** `marker` with a 16-bit count, or the marker after it with a 32-bit one. */
  private longCount(count: number, marker: number): void {
    this.byte(count < 0x1_0000 ? marker : marker + 1);
    if (count < 0x1_0000) this.uint16(count);
    else this.uint32(count);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  private uint16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.at, value);
    this.at += 2;
  }

  private uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  private float64(value: number): void {
    this.byte(0xcb);
    this.reserve(8);
    this.view.setFloat64(this.at, value);
    this.at += 8;
  }

  private reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

function isList(value: readonly PlainValue[] | PlainRecord): value is readonly PlainValue[] {
  return Array.isArray(value);
}

/**
 * The one map that `bytes` holds. What is allocated is bounded by `maxHeaderValues`, whatever the lengths declare.
 * @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
 */
export function readPlainMap(bytes: Uint8Array, limits: WireLimits): ReadMap {
  const reader = new Reader(bytes, limits);
  const value = reader.value(1);
  if (!(value instanceof Map)) throw malformed('header is not a map');
  if (reader.at !== bytes.byteLength) throw malformed('header has bytes after its map');
  return value;
}

class Reader {
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

  value(depth: number): ReadValue {
    if (--this.valuesLeft < 0) throw tooLarge(`header holds more than ${this.limits.maxHeaderValues} values`);
    const marker = this.uint(1);
    if (marker < 0x80) return marker;
    if (marker >= 0xe0) return marker - 0x100;
    if (marker < 0x90) return this.map(marker & 0x0f, depth);
    if (marker < 0xa0) return this.list(marker & 0x0f, depth);
    if (marker < 0xc0) return this.text(marker & 0x1f);
    return this.marked(marker, depth);
  }

  private marked(marker: number, depth: number): ReadValue {
    if (marker >= 0xcc && marker <= 0xcf) return this.uint(2 ** (marker - 0xcc));
    if (marker >= 0xd0 && marker <= 0xd3) return this.int(2 ** (marker - 0xd0));
    switch (marker) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.view.getFloat32(this.take(4));
      case 0xcb:
        return this.view.getFloat64(this.take(8));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.uint(2 ** (marker - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.list(this.uint(marker === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.map(this.uint(marker === 0xde ? 2 : 4), depth);
      default:
        throw malformed(`header holds a value of kind 0x${marker.toString(16)}, which is not plain data`);
    }
  }

  private list(count: number, depth: number): ReadValue[] {
    this.enter(count, depth);
    const items: ReadValue[] = [];
    while (items.length < count) items.push(this.value(depth + 1));
    return items;
  }

  private map(count: number, depth: number): ReadMap {
    this.enter(count * 2, depth);
    const map: ReadMap = new Map();
    for (let index = 0; index < count; index++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw malformed('header has a key that is not a string');
      if (map.has(key)) throw malformed('header has a key twice');
      map.set(key, this.value(depth + 1));
    }
    return map;
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

  private uint(size: number): number {
    const at = this.take(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at);
    if (size === 4) return this.view.getUint32(at);
    return this.view.getUint32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  private int(size: number): number {
    const at = this.take(size);
    if (size === 1) return this.view.getInt8(at);
    if (size === 2) return this.view.getInt16(at);
    if (size === 4) return this.view.getInt32(at);
    return this.view.getInt32(at) * TWO_32 + this.view.getUint32(at + 4);
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
