// Bytes written one after another -> one array; and an array -> bytes read one after another, never beyond its end.
import { KerfError } from '../errors.ts';

/** Memory that grows as it is written. */
export class ByteSink {
  bytes: Uint8Array;
  length = 0;

  /** @param expectedBytes what will be written, if the guess is good; more is possible. */
  constructor(expectedBytes: number) {
    this.bytes = new Uint8Array(Math.max(64, expectedBytes));
  }

  /** Makes room for `count` bytes; {@link bytes} may be another array afterwards. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.byteLength * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Seven bits a byte, least first; the top bit says that more follow. @param count below 2^28 */
  count(count: number): void {
    let rest = count;
    for (; rest >= 128; rest >>>= 7) this.byte((rest & 127) | 128);
    this.byte(rest);
  }

  append(values: Uint8Array): void {
    this.reserve(values.byteLength);
    this.bytes.set(values, this.length);
    this.length += values.byteLength;
  }

  /** What was written, as a view. */
  written(): Uint8Array {
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

  /** @throws {KerfError} MESSAGE_MALFORMED at the end. */
  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw damaged('it ends early');
    this.at++;
    return value;
  }

  /** As {@link ByteSink.count} writes it. @throws {KerfError} MESSAGE_MALFORMED. */
  count(): number {
    let count = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      count |= (byte & 127) << shift;
      if (byte < 128) return count;
    }
    throw damaged('a count does not end');
  }

  /** A view of the next `count` bytes. @throws {KerfError} MESSAGE_MALFORMED when there are fewer. */
  take(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.bytes.byteLength) throw damaged('it ends early');
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  /** @throws {KerfError} MESSAGE_MALFORMED when bytes are left. */
  end(): void {
    if (this.at !== this.bytes.byteLength) throw damaged(`${this.bytes.byteLength - this.at} bytes are left over`);
  }
}

/** What every decoder throws at bytes that no encoder wrote. */
export function damaged(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', `a coded payload is damaged: ${what}; send the frame again`);
}
