// One message of the bridge <-> bytes: a JSON header, then the byte arrays that it refers to.
//
//   0  4  bytes of the header, little-endian
//   4     header: JSON, in which {"$bytes": n} stands for the n-th array; `sizes` holds their lengths
//         the arrays, one behind the other
import { KerfError } from '@kerf/protocol';

/** What crosses: JSON values and byte arrays. */
export type Crossing = unknown;

/** Largest message in either direction. */
export const MAX_ENVELOPE_BYTES = 32 * 1024 * 1024;
const MAX_ARRAYS = 64;
const PREFIX = 4;

interface Header {
  readonly value: unknown;
  readonly sizes: readonly number[];
}

export function encodeEnvelope(value: Crossing): Uint8Array {
  const arrays: Uint8Array[] = [];
  const header: Header = { value: lift(value, arrays), sizes: arrays.map(({ byteLength }) => byteLength) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const total = PREFIX + text.byteLength + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = new Uint8Array(total);
  new DataView(bytes.buffer).setUint32(0, text.byteLength, true);
  bytes.set(text, PREFIX);
  let at = PREFIX + text.byteLength;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.byteLength;
  }
  return bytes;
}

/** @throws {KerfError} MESSAGE_MALFORMED, MESSAGE_TOO_LARGE. Arrays are views into `bytes`. */
export function decodeEnvelope(bytes: Uint8Array): Crossing {
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) {
    throw new KerfError('MESSAGE_TOO_LARGE', `a message of ${bytes.byteLength} bytes; ${MAX_ENVELOPE_BYTES} at most`);
  }
  if (bytes.byteLength < PREFIX) throw malformed('it is too short');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > bytes.byteLength - PREFIX) throw malformed('its header is cut off');
  const header = parse(bytes.subarray(PREFIX, PREFIX + length));
  const arrays: Uint8Array[] = [];
  let at = PREFIX + length;
  for (const size of header.sizes) {
    if (size > bytes.byteLength - at) throw malformed('its bytes are cut off');
    arrays.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at !== bytes.byteLength) throw malformed('it has bytes that nobody names');
  return settle(header.value, arrays);
}

function lift(value: unknown, arrays: Uint8Array[]): unknown {
  if (value instanceof Uint8Array) return { $bytes: arrays.push(value) - 1 };
  if (Array.isArray(value)) return value.map((item) => lift(item, arrays));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lift(item, arrays)]));
}

function settle(value: unknown, arrays: readonly Uint8Array[]): unknown {
  if (Array.isArray(value)) return value.map((item) => settle(item, arrays));
  if (typeof value !== 'object' || value === null) return value;
  if ('$bytes' in value) {
    const array = typeof value.$bytes === 'number' ? arrays[value.$bytes] : undefined;
    if (array === undefined) throw malformed('it refers to bytes that are not there');
    return array;
  }
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__');
  return Object.fromEntries(entries.map(([key, item]) => [key, settle(item, arrays)]));
}

function parse(bytes: Uint8Array): Header {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed('its header is no JSON');
  }
  const { value, sizes } = (typeof header === 'object' && header !== null ? header : {}) as Partial<Header>;
  if (!Array.isArray(sizes) || sizes.length > MAX_ARRAYS) throw malformed('its header lacks sizes');
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) throw malformed('a size is no size');
  return { value, sizes };
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', `a message of the Inspector cannot be read: ${what}`);
}
