// Bits with given odds <-> bytes: a binary range coder whose registers stay within 31 bits, so that all of it is int32.
//
// One class works in both directions: `code` writes the bit that it is given, or reads one whatever it is given. One loop
// over a model therefore serves encoder and decoder, which cannot differ, and is compiled for one class.
import { damagedPayload } from './byte-sink.ts';
import { FULL_RANGE, LEAST_RANGE } from './level-numbers.ts';

/** Bytes that hold the registers. */
const REGISTER_BYTES = 4;

/** Where the bytes of a coder are. */
export interface CoderMemory {
  /** An array of at least `needed` bytes that starts with the first `used` of `bytes`. */
  grow(bytes: Uint8Array, used: number, needed: number): Uint8Array;
  /** What a decoder reads: the same bytes. */
  hold(bytes: Uint8Array): Uint8Array;
}

const HEAP: CoderMemory = {
  grow(bytes, used, needed) {
    const grown = new Uint8Array(Math.max(64, needed, bytes.length * 2));
    grown.set(bytes.subarray(0, used));
    return grown;
  },
  hold: (bytes) => bytes,
};

export class RangeCoder {
  bytes: Uint8Array;
  /** Index of the next byte. */
  at = 0;
  /** Encoder: the low end of the range. Decoder: how far above it the number lies that the bytes are. */
  low = 0;
  range = FULL_RANGE;
  readonly isDecoder: boolean;
  private readonly memory: CoderMemory;

  private constructor(isDecoder: boolean, bytes: Uint8Array, memory: CoderMemory) {
    this.isDecoder = isDecoder;
    this.bytes = bytes;
    this.memory = memory;
  }

  static encoder(expectedBytes: number, memory = HEAP): RangeCoder {
    return new RangeCoder(false, memory.grow(new Uint8Array(0), 0, expectedBytes), memory);
  }

  /** {@link start} comes first. */
  static decoder(memory = HEAP): RangeCoder {
    return new RangeCoder(true, new Uint8Array(0), memory);
  }

  /**
   * @param bit of an encoder: what to write; a decoder does not look at it
   * @param zeroOdds that the bit is 0, in 65,536ths, 1 to 65,535
   * @returns the bit
   */
  code(bit: number, zeroOdds: number): number {
    const zeros = Math.imul(this.range >>> 16, zeroOdds);
    const coded = this.isDecoder ? (this.low < zeros ? 0 : 1) : bit;
    if (coded === 0) {
      this.range = zeros;
    } else {
      this.range -= zeros;
      if (this.isDecoder) {
        this.low -= zeros;
      } else {
        this.low = (this.low + zeros) | 0;
        if (this.low < 0) this.low = this.carry(this.low);
      }
    }
    if (this.range < LEAST_RANGE) this.shift();
    return coded;
  }

  /** Decoder: how many times `unit` the number lies above the low end. */
  unitsAbove(unit: number): number {
    return (this.low / unit) | 0;
  }

  /** Goes on with the part of the range between two places above its low end. A decoder's number must lie there. */
  narrow(from: number, to: number): void {
    this.range = to - from;
    if (this.isDecoder) {
      this.low -= from;
    } else {
      this.low = (this.low + from) | 0;
      if (this.low < 0) this.low = this.carry(this.low);
    }
    if (this.range < LEAST_RANGE) this.shift();
  }

  /** Whole bytes of the range are settled: they go out, or the next come in. */
  shift(): void {
    while (this.range < LEAST_RANGE) {
      this.range <<= 8;
      if (this.isDecoder) {
        // The register is 31 bits wide: the lowest bit of the last byte is still to come.
        const { bytes, at } = this;
        const last = at <= bytes.length ? (bytes[at - 1] as number) : 0;
        const next = at < bytes.length ? (bytes[at] as number) : 0;
        this.low = (this.low << 8) | (((last << 7) | (next >> 1)) & 0xff);
        this.at = at + 1;
      } else {
        this.bytes[this.at++] = this.low >>> 23;
        this.low = (this.low << 8) & FULL_RANGE;
      }
    }
  }

  /** Encoder: the low end has passed 2^31, so what was written last is one more. @returns the low end without it */
  carry(low: number): number {
    let at = this.at - 1;
    while (this.bytes[at] === 255) this.bytes[at--] = 0;
    this.bytes[at] = (this.bytes[at] as number) + 1;
    return low & FULL_RANGE;
  }

  /** Encoder: makes room for as many bits, at 17 bits of payload each at the most. */
  reserveBits(count: number): void {
    if (this.isDecoder) return;
    const needed = this.at + Math.ceil(count * 2.125) + REGISTER_BYTES;
    if (needed > this.bytes.length) this.bytes = this.memory.grow(this.bytes, this.at, needed);
  }

  /**
   * Encoder: what was written, with as few bytes as tell the last bits, since a decoder reads zeros beyond the end. The
   * encoder starts anew afterwards.
   */
  finish(): Uint8Array {
    // The number within the range that ends in the most zeros.
    for (let bits = 30; bits >= 0; bits--) {
      const step = 2 ** bits;
      const end = Math.ceil(this.low / step) * step;
      if (end >= this.low + this.range) continue;
      this.low = end | 0;
      if (this.low < 0) this.low = this.carry(this.low);
      break;
    }
    this.reserveBits(0);
    for (let byte = 0; byte < REGISTER_BYTES; byte++) {
      this.bytes[this.at++] = this.low >>> 23;
      this.low = (this.low << 8) & FULL_RANGE;
    }
    let length = this.at;
    while (length > 0 && this.bytes[length - 1] === 0) length--;
    const written = this.bytes.slice(0, length);
    this.at = 0;
    this.low = 0;
    this.range = FULL_RANGE;
    return written;
  }

  /** Decoder: the bytes to read from now on. @throws {KerfError} MESSAGE_MALFORMED. */
  start(bytes: Uint8Array): void {
    this.bytes = this.memory.hold(bytes);
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    this.at = REGISTER_BYTES;
    this.range = FULL_RANGE;
    this.low = (a << 23) | (b << 15) | (c << 7) | (d >> 1);
    if (this.low >= FULL_RANGE) throw damagedPayload('its range coder starts out of range');
  }

  /** Decoder: no more bits. @throws {KerfError} MESSAGE_MALFORMED when bytes are left that no bit needed. */
  end(): void {
    if (this.at < this.bytes.length) throw damagedPayload('bytes of a group are left over');
  }
}
