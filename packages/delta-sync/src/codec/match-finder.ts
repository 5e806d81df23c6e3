// Bytes -> earlier places where the bytes at a place stand too: the longest, and the nearest of each length.
import { hashAt, hashBits, matchLength } from './four-bytes.ts';

/** Shorter matches are found at the last distances only. */
export const LEAST_FOUND = 4;
/** A place for each byte, within bounds: where many share one, as among random weights, it is the wrong ones that are tried. */
const HASH_BITS = { least: 10, most: 21 };
/**
 * How many earlier places with the same four bytes are tried: fewer in long histories, which are weights. What lies between tensors
 * is short, and much like itself.
 */
const TRIES = { short: 24, long: 12 };
const LONG_BYTES = 1 << 20;

export class MatchFinder {
  readonly #history: Uint8Array;
  readonly #tries: number;
  readonly #shift: number;
  readonly #heads: Int32Array;
  /** The place before with the same hash, by place. */
  readonly #before: Int32Array;
  #known = 0;
  /** What {@link find} found: each match is longer than the one before, and not nearer. */
  readonly lengths = new Int32Array(TRIES.short);
  readonly distances = new Int32Array(TRIES.short);

  constructor(history: Uint8Array) {
    this.#history = history;
    this.#tries = history.length < LONG_BYTES ? TRIES.short : TRIES.long;
    const bits = hashBits(history.length, HASH_BITS);
    this.#shift = 32 - bits;
    this.#heads = new Int32Array(1 << bits).fill(-1);
    this.#before = new Int32Array(history.length);
  }

  /** @param enough a match of so many bytes ends the search; @returns how many were found */
  find(at: number, enough: number): number {
    this.#learnUpTo(at);
    if (at + LEAST_FOUND > this.#history.length) return 0;
    let found = 0;
    let longest = LEAST_FOUND - 1;
    let place = this.#heads[hashAt(this.#history, at, this.#shift)] as number;
    // An earlier search may have looked further ahead.
    while (place >= at) place = this.#before[place] as number;
    for (let tries = 0; place >= 0 && tries < this.#tries; tries++, place = this.#before[place] as number) {
      // It can only be longer if it goes on where the longest ends.
      if (this.#history[place + longest] !== this.#history[at + longest]) continue;
      const length = this.lengthAt(at, at - place);
      if (length <= longest) continue;
      this.lengths[found] = length;
      this.distances[found] = at - place;
      found++;
      longest = length;
      if (length >= enough) break;
    }
    return found;
  }

  lengthAt(at: number, distance: number): number {
    return matchLength(this.#history, at, distance);
  }

  #learnUpTo(at: number): void {
    const last = Math.min(at, this.#history.length - LEAST_FOUND + 1);
    for (; this.#known < last; this.#known++) {
      const hash = hashAt(this.#history, this.#known, this.#shift);
      this.#before[this.#known] = this.#heads[hash] as number;
      this.#heads[hash] = this.#known;
    }
  }
}
