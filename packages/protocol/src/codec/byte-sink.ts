// Bytes written one after another -> one array; and an array -> bytes read one after another, never beyond its end.
import { KerfError } from '../errors.ts';

/** Memory that grows as it is written. */
export class ByteSink {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  /** @param expectedBytes what will be written, if the guess is good; more is possible. */
  constructor(expectedBytes = 0) {
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

  /** LEB128, as {@link count}, of what may be larger. @param value a whole number below 2^53 */
  number(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    this.byte(rest);
  }

  append(values: Uint8Array): void {
    this.reserve(values.byteLength);
    this.bytes.set(values, this.length);
    this.length += values.byteLength;
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
  private readonly damaged: (what: string) => KerfError;

  /** @param damaged what is thrown at bytes that no encoder wrote */
  constructor(bytes: Uint8Array, damaged: (what: string) => KerfError = damagedPayload) {
    this.bytes = bytes;
    this.damaged = damaged;
  }

  /** @throws {KerfError} as the constructor was told, at the end. */
  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw this.damaged('it ends early');
    this.at++;
    return value;
  }

  /** As {@link ByteSink.count} writes it. @throws {KerfError}. */
  count(): number {
    let count = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      count |= (byte & 127) << shift;
      if (byte < 128) return count;
    }
    throw this.damaged('a count does not end');
  }

  /** As {@link ByteSink.number} writes it, in its shortest form. @throws {KerfError}, also beyond `most`. */
  number(most: number): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > most || scale > 2 ** 49) throw this.damaged('a number is too large');
      if (byte >= 128) continue;
      if (byte === 0 && scale > 1) throw this.damaged('a number is longer than it need be');
      return value;
    }
  }

  /** A view of the next `count` bytes. @throws {KerfError} when there are fewer. */
  take(count: number): Uint8Array {
    if (count > this.bytes.byteLength - this.at) throw this.damaged('it ends early');
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  /** @throws {KerfError} when bytes are left. */
  end(): void {
    const left = this.bytes.byteLength - this.at;
    if (left !== 0) throw this.damaged(`${left} bytes are left over`);
  }
}

/** What every decoder throws at bytes that no encoder wrote. */
export function damagedPayload(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', `a coded payload is damaged: ${what}; send the frame again`);
}
