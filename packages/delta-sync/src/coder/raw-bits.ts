// Bits that no model improves <-> 16-bit words, the lowest bit first.
import { damaged } from '../damaged.ts';
import { ByteSink } from './byte-io.ts';

export class RawBitWriter {
  readonly #sink = new ByteSink(1024);
  #held = 0;
  #count = 0;

  /** @param count from 0 to 32; `value` has no bit above them */
  put(value: number, count: number): void {
    if (count > 16) {
      this.#put(value & 0xffff, 16);
      this.#put(value >>> 16, count - 16);
    } else this.#put(value, count);
  }

  #put(value: number, count: number): void {
    this.#held |= value << this.#count;
    this.#count += count;
    if (this.#count < 16) return;
    this.#word(this.#held);
    this.#held >>>= 16;
    this.#count -= 16;
  }

  #word(word: number): void {
    this.#sink.byte(word & 255);
    this.#sink.byte((word >>> 8) & 255);
  }

  finish(): Uint8Array {
    if (this.#count > 0) this.#word(this.#held);
    return this.#sink.written();
  }
}

/** Little-endian words of a stream. @throws {KerfError} DELTA_MALFORMED when half a word is left. */
export function wordsOf(bytes: Uint8Array): Uint16Array {
  if (bytes.byteLength % 2 !== 0) throw damaged('a stream of words has an odd length');
  const words = new Uint16Array(bytes.byteLength / 2);
  for (let word = 0, at = 0; word < words.length; word++, at += 2) {
    words[word] = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  }
  return words;
}

export class RawBitReader {
  readonly #words: Uint16Array;
  #at = 0;
  #held = 0;
  #count = 0;

  /** @throws {KerfError} DELTA_MALFORMED. */
  constructor(bytes: Uint8Array) {
    this.#words = wordsOf(bytes);
  }

  /** The next bits, from 0 to 32 of them; zeros beyond the end, which {@link finish} finds. */
  take(count: number): number {
    if (count <= 16) return this.#take(count);
    const low = this.#take(16);
    return ((this.#take(count - 16) << 16) | low) >>> 0;
  }

  #take(count: number): number {
    if (this.#count < count) {
      this.#held |= (this.#words[this.#at++] as number) << this.#count;
      this.#count += 16;
    }
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }

  /** @throws {KerfError} DELTA_MALFORMED when too much or too little was read. */
  finish(): void {
    if (this.#at !== this.#words.length || this.#held !== 0)
      throw damaged('a stream of bits does not end as it should');
  }
}
