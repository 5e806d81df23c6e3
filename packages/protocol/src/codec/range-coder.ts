// Bits with given odds <-> bytes: a binary range coder whose registers stay within 31 bits, so that all of it is int32.
//
// `code` is the same call on both sides: the encoder writes the bit and returns it, the decoder reads one whatever it was
// given. One loop over a model therefore serves both, and they cannot differ.
import { damaged } from './byte-sink.ts';

const FULL_RANGE = 0x7fff_ffff;
/** At least 2^23, so that odds in 65,536ths lose less than a thousandth. */
const LEAST_RANGE = 1 << 23;
/** What `finish` writes at most. */
const FLUSH_BYTES = 4;

export interface BitCoder {
  /** @param zeroOdds that the bit is 0, in 65,536ths, 1 to 65,535 */
  code(bit: number, zeroOdds: number): number;
}

export class RangeEncoder implements BitCoder {
  private bytes: Uint8Array;
  private at = 0;
  private low = 0;
  private range = FULL_RANGE;

  constructor(expectedBytes: number) {
    this.bytes = new Uint8Array(Math.max(64, expectedBytes));
  }

  /** Makes room for as many bits, at 16 bits of payload each at the most. */
  reserveBits(count: number): void {
    const needed = this.at + count * 2 + FLUSH_BYTES;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  code(bit: number, zeroOdds: number): number {
    const zeros = Math.imul(this.range >>> 16, zeroOdds);
    if (bit === 0) {
      this.range = zeros;
    } else {
      this.range -= zeros;
      this.low = (this.low + zeros) | 0;
      if (this.low < 0) this.carry();
    }
    while (this.range < LEAST_RANGE) {
      this.bytes[this.at++] = this.low >>> 23;
      this.low = (this.low << 8) & FULL_RANGE;
      this.range <<= 8;
    }
    return bit;
  }

  /** The low end has passed 2^31: what was written last is one more. */
  private carry(): void {
    this.low &= FULL_RANGE;
    let at = this.at - 1;
    while (this.bytes[at] === 255) this.bytes[at--] = 0;
    this.bytes[at] = (this.bytes[at] as number) + 1;
  }

  /**
   * What was written, with as few bytes as tell the last bits: the decoder reads zeros beyond the end.
   * The encoder starts anew afterwards.
   */
  finish(): Uint8Array {
    // The number within the last range that ends in the most zeros.
    for (let bits = 30; bits >= 0; bits--) {
      const mask = (1 << bits) - 1;
      const rounded = this.low + mask;
      const end = rounded - (rounded % (mask + 1));
      if (end < this.low + this.range) {
        this.low = end | 0;
        if (this.low < 0) this.carry();
        break;
      }
    }
    for (let byte = 0; byte < FLUSH_BYTES; byte++) {
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
}

export class RangeDecoder implements BitCoder {
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private range = FULL_RANGE;
  private rest = 0;

  /** @throws {KerfError} MESSAGE_MALFORMED. */
  start(bytes: Uint8Array): void {
    this.bytes = bytes;
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    this.at = FLUSH_BYTES;
    this.range = FULL_RANGE;
    this.rest = (a << 23) | (b << 15) | (c << 7) | (d >> 1);
    if (this.rest >= FULL_RANGE) throw damaged('its range coder starts out of range');
  }

  code(_bit: number, zeroOdds: number): number {
    const zeros = Math.imul(this.range >>> 16, zeroOdds);
    let bit = 0;
    if (this.rest < zeros) {
      this.range = zeros;
    } else {
      bit = 1;
      this.rest -= zeros;
      this.range -= zeros;
    }
    while (this.range < LEAST_RANGE) {
      const { bytes, at } = this;
      // The window is 31 bits wide: the lowest bit of the last byte is still to come.
      const last = at <= bytes.length && at > 0 ? (bytes[at - 1] as number) : 0;
      const next = at < bytes.length ? (bytes[at] as number) : 0;
      this.rest = (this.rest << 8) | (((last << 7) | (next >> 1)) & 0xff);
      this.range <<= 8;
      this.at = at + 1;
    }
    return bit;
  }

  /** @throws {KerfError} MESSAGE_MALFORMED when bytes are left that no bit needed, or many were needed that are not there. */
  end(): void {
    if (this.at < this.bytes.length) throw damaged('bytes of a group are left over');
  }
}
