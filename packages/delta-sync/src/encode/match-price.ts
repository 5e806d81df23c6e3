// Bytes, and what stands in front of them -> what they take as matches and single bytes, about: one quick pass over all of them,
// where coding them would take a hundred times as long. A sample cannot see what repeats itself at a distance.
import { hashAt, hashBits, matchLength } from '../codec/four-bytes.ts';
import { entropyBitsOf } from '../coder/cluster.ts';

const LEAST_MATCH = 6;
const LEAST_AGAIN = 3;
/** What a match takes besides its length and its distance, and one at the last distance. */
const MATCH_BITS = 6;
const AGAIN_BITS = 4;
const HASH_BITS = { least: 10, most: 20 };
/** Noise is passed in ever larger steps. */
const MISSES_BITS = 7;
/** Behind the first bytes of a match, places are not remembered. */
const REMEMBERED_BYTES = 64;

export interface Matched {
  /** Of all: distances as they are, single bytes by their frequencies. */
  readonly bits: number;
  /** Share of the bytes that no match holds, and what one of them takes. */
  readonly singles: number;
  readonly bitsOfSingle: number;
}

/** `fresh` as matches in what stands before each place, `before` in front of it. */
export function matched(fresh: Uint8Array, before: Uint8Array): Matched {
  return new Matcher(fresh, before).run();
}

class Matcher {
  readonly #history: Uint8Array;
  readonly #start: number;
  readonly #places: Int32Array;
  readonly #shift: number;
  readonly #singles = new Uint32Array(256);

  constructor(fresh: Uint8Array, before: Uint8Array) {
    this.#history = new Uint8Array(before.byteLength + fresh.byteLength);
    this.#history.set(before);
    this.#history.set(fresh, before.byteLength);
    this.#start = before.byteLength;
    const bits = hashBits(this.#history.length, HASH_BITS);
    this.#places = new Int32Array(1 << bits).fill(-1);
    this.#shift = 32 - bits;
  }

  run(): Matched {
    const history = this.#history;
    const end = history.length;
    for (let at = 0; at < Math.min(this.#start, end - 3); at++) this.#places[hashAt(history, at, this.#shift)] = at;
    let bits = 0;
    let distance = 0;
    let misses = 0;
    for (let at = this.#start; at < end; ) {
      const again = distance > 0 ? matchLength(history, at, distance) : 0;
      const place = at + 4 <= end ? this.#exchange(at) : -1;
      const length = place < 0 || again >= LEAST_AGAIN ? again : matchLength(history, at, at - place);
      if (length < (again >= LEAST_AGAIN ? LEAST_AGAIN : LEAST_MATCH)) {
        const step = Math.min(end - at, 1 + (misses++ >> MISSES_BITS));
        for (let byte = at; byte < at + step; byte++) this.#count(history[byte] as number);
        at += step;
        continue;
      }
      misses = 0;
      bits += 2 * Math.log2(length);
      if (again >= LEAST_AGAIN) bits += AGAIN_BITS;
      else {
        bits += MATCH_BITS + Math.log2(1 + Math.min(at - place, Math.abs(at - place - distance)));
        distance = at - place;
      }
      for (let byte = at + 1; byte < Math.min(at + length, at + REMEMBERED_BYTES, end - 3); byte++) {
        this.#places[hashAt(history, byte, this.#shift)] = byte;
      }
      at += length;
    }
    const count = this.#singles.reduce((sum, value) => sum + value, 0);
    const singleBits = entropyBitsOf(this.#singles);
    const singles = count / Math.max(1, end - this.#start);
    return { bits: bits + singleBits, singles, bitsOfSingle: singleBits / Math.max(1, count) };
  }

  #count(byte: number): void {
    this.#singles[byte] = (this.#singles[byte] as number) + 1;
  }

  /** The last place with the same four bytes, which becomes this one. */
  #exchange(at: number): number {
    const hash = hashAt(this.#history, at, this.#shift);
    const place = this.#places[hash] as number;
    this.#places[hash] = at;
    return place;
  }
}
