// Bytes written one after another -> one array; and an array -> bytes read one after another, never beyond its end.
import { damaged } from '../damaged.ts';

/** Memory that grows as it is written. */
export class ByteSink {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  /** @param expectedBytes what will be written, if the guess is good; more is possible. */
  constructor(expectedBytes = 0) {
    this.bytes = new Uint8Array(Math.max(64, expectedBytes));
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.byteLength * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  append(values: Uint8Array): void {
    this.#reserve(values.byteLength);
    this.bytes.set(values, this.length);
    this.length += values.byteLength;
  }

  /** LEB128: seven bits a byte, the lowest first. @param value a whole number below 2^53 */
  number(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    this.byte(rest);
  }

  /** What was written, as a view. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }
}

/** Bytes of a stranger. Every read checks that the bytes are there. */
export class ByteSource {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @throws {KerfError} DELTA_MALFORMED at the end. */
  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw damaged('it ends early');
    this.at++;
    return value;
  }

  /** A view of the next `count` bytes. @throws {KerfError} DELTA_MALFORMED when there are fewer. */
  take(count: number): Uint8Array {
    if (count > this.bytes.byteLength - this.at) throw damaged('it ends early');
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  /** LEB128 in its shortest form. @throws {KerfError} DELTA_MALFORMED beyond `most`. */
  number(most: number): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > most || scale > 2 ** 49) throw damaged('a number is too large');
      if (byte >= 128) continue;
      if (byte === 0 && scale > 1) throw damaged('a number is longer than it need be');
      return value;
    }
  }

  /** @throws {KerfError} DELTA_MALFORMED when bytes are left. */
  end(): void {
    if (this.at !== this.bytes.byteLength) throw damaged(`${this.bytes.byteLength - this.at} bytes are left over`);
  }
}
