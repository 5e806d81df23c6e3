// Bits with odds that are learnt from few examples <-> bytes: a carry-less range coder for the small, structured part of a
// delta. The values of tensors, which are many, go through rans.ts.
import { damaged } from '../damaged.ts';
import { type ByteSink, type ByteSource, patchSource } from './byte-io.ts';

const EVEN = 1 << 15;
const LEAST_ODDS = 32;
const MOST_ODDS = 65_536 - LEAST_ODDS;
/** An estimate moves by 1 / (n + 1.6) after n examples, and never by less than 1 / (this + 1.6). */
const MOST_EXAMPLES = 250;
const RATES = Uint16Array.from({ length: MOST_EXAMPLES + 1 }, (_, n) => Math.floor(655_360 / (10 * n + 16)));

/** Odds that a bit is 1, in 65,536ths, many of them; each remembers how many bits it has seen. */
export class BitOdds {
  readonly odds: Uint16Array;
  readonly seen: Uint8Array;

  constructor(count: number) {
    this.odds = new Uint16Array(count).fill(EVEN);
    this.seen = new Uint8Array(count);
  }

  learn(at: number, bit: number): void {
    const before = this.odds[at] as number;
    const seen = this.seen[at] as number;
    const rate = RATES[seen] as number;
    const after = bit === 1 ? before + (((65_535 - before) * rate) >>> 16) : before - ((before * rate) >>> 16);
    this.odds[at] = after < LEAST_ODDS ? LEAST_ODDS : after > MOST_ODDS ? MOST_ODDS : after;
    if (seen < MOST_EXAMPLES) this.seen[at] = seen + 1;
  }
}

/** Bits that a bit takes with these odds: a table of 4,096 steps. For encoders that choose. */
export function bitPrice(odds: number, bit: number): number {
  return PRICES[(bit === 1 ? odds : 65_536 - odds) >> 4] as number;
}

const PRICES = Float32Array.from({ length: 4097 }, (_, step) => -Math.log2((step + 0.5) / 4096));

/** Where the interval [low, high] is divided. */
function middle(low: number, high: number, odds: number): number {
  const range = high - low;
  return low + Math.floor(range / 65_536) * odds + (((range % 65_536) * odds) >>> 16);
}

export class BitEncoder {
  readonly #sink: ByteSink;
  #low = 0;
  #high = 0xffff_ffff;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Codes a bit with the odds at `at`, which then learn it. */
  bit(odds: BitOdds, at: number, bit: number): void {
    this.bitWith(odds.odds[at] as number, bit);
    odds.learn(at, bit);
  }

  /** Codes a bit with odds of a mixture, in 65,536ths that it is 1; from 32 to 65,504. */
  bitWith(odds: number, bit: number): void {
    const division = middle(this.#low, this.#high, odds);
    if (bit === 1) this.#high = division;
    else this.#low = division + 1;
    while (((this.#low ^ this.#high) & 0xff00_0000) === 0) {
      this.#sink.byte(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
  }

  /** As it is: each bit at even odds. */
  byte(value: number): void {
    for (let shift = 7; shift >= 0; shift--) this.bitWith(EVEN, (value >> shift) & 1);
  }

  finish(): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.#sink.byte((this.#low >>> shift) & 255);
  }
}

export class BitDecoder {
  readonly #source: ByteSource;
  #low = 0;
  #high = 0xffff_ffff;
  #code = 0;

  /** @throws {KerfError} DELTA_MALFORMED. */
  constructor(bytes: Uint8Array) {
    this.#source = patchSource(bytes);
    for (let byte = 0; byte < 4; byte++) this.#code = ((this.#code << 8) | this.#source.byte()) >>> 0;
  }

  /** @throws {KerfError} DELTA_MALFORMED when the bytes have ended. */
  bit(odds: BitOdds, at: number): number {
    const bit = this.bitWith(odds.odds[at] as number);
    odds.learn(at, bit);
    return bit;
  }

  /** @throws {KerfError} DELTA_MALFORMED when the bytes have ended. */
  bitWith(odds: number): number {
    const division = middle(this.#low, this.#high, odds);
    const bit = this.#code <= division ? 1 : 0;
    if (bit === 1) this.#high = division;
    else this.#low = division + 1;
    while (((this.#low ^ this.#high) & 0xff00_0000) === 0) {
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
      this.#code = ((this.#code << 8) | this.#source.byte()) >>> 0;
    }
    return bit;
  }

  /** Eight bits at even odds, the highest first. @throws {KerfError} DELTA_MALFORMED when the bytes have ended. */
  byte(): number {
    let value = 0;
    for (let bit = 0; bit < 8; bit++) value = value * 2 + this.bitWith(EVEN);
    return value;
  }

  /** @throws {KerfError} DELTA_MALFORMED when bytes are left: one content, one form. */
  finish(): void {
    if (this.#code !== this.#low) throw damaged('a stream does not end as it was written');
    this.#source.end();
  }
}
