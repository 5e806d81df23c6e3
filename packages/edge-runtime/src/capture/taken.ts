// What a device gives, before it is a capture.
import type { Reason, ResultRecord } from '../station/result-record.ts';
import type { Picture } from './capture.ts';

export interface Taken {
  /** A picture, or why there is none. */
  readonly what: { readonly picture: Picture } | { readonly fault: Reason };
  /** Milliseconds since 1970-01-01 UTC; now where it is left out. */
  readonly takenAt?: number;
  readonly partId?: string | null;
  readonly key?: string | null;
  /** Name of the file that it was read from. */
  readonly file?: string;
  readonly onResult?: ((record: ResultRecord) => void) | null;
}

/** Bytes that tell two pictures apart. */
export function bytesOfPicture(picture: Picture): Uint8Array {
  return picture.kind === 'encoded' ? picture.bytes : picture.image.data;
}

/** The format that the first bytes say; null for none of the three. */
export function formatOfBytes(bytes: Uint8Array): 'png' | 'jpeg' | 'webp' | null {
  const at = (offset: number, ...values: number[]): boolean =>
    values.every((value, index) => bytes[offset + index] === value);
  if (at(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  if (at(0, 0xff, 0xd8, 0xff)) return 'jpeg';
  if (at(0, 0x52, 0x49, 0x46, 0x46) && at(8, 0x57, 0x45, 0x42, 0x50)) return 'webp';
  return null;
}

/** True when both hold the same bytes; a difference near the start, the usual case, is found at once. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.byteLength !== right.byteLength) return false;
  const aligned = left.byteOffset % 4 === 0 && right.byteOffset % 4 === 0;
  const words = aligned ? left.byteLength >>> 2 : 0;
  const leftWords = aligned ? new Uint32Array(left.buffer, left.byteOffset, words) : EMPTY;
  const rightWords = aligned ? new Uint32Array(right.buffer, right.byteOffset, words) : EMPTY;
  for (let at = 0; at < words; at++) if (leftWords[at] !== rightWords[at]) return false;
  for (let at = words * 4; at < left.byteLength; at++) if (left[at] !== right[at]) return false;
  return true;
}

const EMPTY = new Uint32Array(0);
