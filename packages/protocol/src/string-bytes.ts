// Checks the bytes of a string tensor without making a string of them.
import { KerfError } from './errors.ts';

/**
 * Checks that `data` holds exactly `count` elements, each a uint32 length and that many bytes of UTF-8. Nothing is
 * allocated: a peer may send millions of elements.
 * @throws {KerfError} TENSOR_MISMATCH.
 */
export function checkStringBytes(data: Uint8Array, count: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  let fits = count * 4 <= data.byteLength;
  for (let index = 0; fits && index < count; index++) {
    if (at + 4 > data.byteLength) fits = false;
    else {
      const end = at + 4 + view.getUint32(at, true);
      fits = end <= data.byteLength && isUtf8(data, at + 4, end);
      at = end;
    }
  }
  if (!fits || at !== data.byteLength) {
    throw new KerfError('TENSOR_MISMATCH', `string data does not hold ${count} UTF-8 strings`);
  }
}

/** Well-formed UTF-8 by table 3-7 of the Unicode Standard: no overlong form, no surrogate, nothing above U+10FFFF. */
export function isUtf8(data: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = data[at] as number;
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || at + length > end) return false;
    const second = data[at + 1] as number;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (let rest = 2; rest < length; rest++) {
      if (((data[at + rest] as number) & 0xc0) !== 0x80) return false;
    }
    at += length;
  }
  return true;
}
