// Bits with odds that adapt <-> bytes: a binary range coder (as in LZMA, with finer odds).
import { type ByteSink, type ByteSource, damaged } from './byte-sink.ts';

/** Odds are in 65,536ths. */
const EVEN = 1 << 15;
/** One estimate follows quickly, one slowly; their mean is what counts. */
const QUICK = 4;
const SLOW = 7;
const LEAST_RANGE = 2 ** 24;

/** Adaptive odds that a bit is 0, many of them. */
export class BitOdds {
  readonly quick: Uint16Array;
  readonly slow: Uint16Array;

  constructor(count: number) {
    this.quick = new Uint16Array(count).fill(EVEN);
    this.slow = new Uint16Array(count).fill(EVEN);
  }
}

/** Neither 0 nor 65,536, whatever the estimates are. */
function oddsOfZero(quick: number, slow: number): number {
  return ((quick + slow) >>> 1) | 1;
}

export class BitEncoder {
  private readonly sink: ByteSink;
  private low = 0;
  private range = 0xffff_ffff;
  private held = 0;
  private heldCount = 1;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  encode(bit: number, odds: BitOdds, at: number): void {
    const quick = odds.quick[at] as number;
    const slow = odds.slow[at] as number;
    const zeros = (this.range >>> 16) * oddsOfZero(quick, slow);
    if (bit === 0) {
      this.range = zeros;
      odds.quick[at] = quick + ((65_535 - quick) >> QUICK);
      odds.slow[at] = slow + ((65_535 - slow) >> SLOW);
    } else {
      this.low += zeros;
      this.range -= zeros;
      odds.quick[at] = quick - (quick >> QUICK);
      odds.slow[at] = slow - (slow >> SLOW);
    }
    while (this.range < LEAST_RANGE) {
      this.range = (this.range * 256) >>> 0;
      this.shift();
    }
  }

  finish(): void {
    for (let byte = 0; byte < 5; byte++) this.shift();
  }

  /** The top byte of `low` is final unless it is 255, which a carry may still turn over. */
  private shift(): void {
    if (this.low < 0xff00_0000 || this.low > 0xffff_ffff) {
      const carry = this.low > 0xffff_ffff ? 1 : 0;
      for (; this.heldCount > 0; this.heldCount--) {
        this.sink.byte((this.held + carry) & 0xff);
        this.held = 0xff;
      }
      this.held = Math.floor(this.low / 2 ** 24) & 0xff;
    }
    this.heldCount++;
    this.low = (this.low % 2 ** 24) * 256;
  }
}

export class BitDecoder {
  private readonly source: ByteSource;
  private range = 0xffff_ffff;
  private code: number;

  /** @throws {KerfError} MESSAGE_MALFORMED. */
  constructor(source: ByteSource) {
    this.source = source;
    const [first, a = 0, b = 0, c = 0, d = 0] = source.take(5);
    if (first !== 0) throw damaged('a range coder starts with 0');
    this.code = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** @throws {KerfError} MESSAGE_MALFORMED when the bytes have ended. */
  decode(odds: BitOdds, at: number): number {
    const quick = odds.quick[at] as number;
    const slow = odds.slow[at] as number;
    const zeros = (this.range >>> 16) * oddsOfZero(quick, slow);
    let bit: number;
    if (this.code < zeros) {
      bit = 0;
      this.range = zeros;
      odds.quick[at] = quick + ((65_535 - quick) >> QUICK);
      odds.slow[at] = slow + ((65_535 - slow) >> SLOW);
    } else {
      bit = 1;
      this.code -= zeros;
      this.range -= zeros;
      odds.quick[at] = quick - (quick >> QUICK);
      odds.slow[at] = slow - (slow >> SLOW);
    }
    while (this.range < LEAST_RANGE) {
      this.range = (this.range * 256) >>> 0;
      this.code = ((this.code << 8) | this.source.byte()) >>> 0;
    }
    return bit;
  }
}
