// What the matcher and its decoder learn together: the odds of matches, of their lengths and distances, and of single bytes.
import { type BitDecoder, type BitEncoder, BitOdds, bitPrice } from '../coder/bit-coder.ts';
import { NumberOdds } from '../coder/number-coder.ts';

/** A match is at one of the last distances, near the last one, or anywhere before; a run is of bytes as they are. */
export const MATCH = { again: 0, second: 1, third: 2, shifted: 3, far: 4, run: 5 } as const;
export const MATCH_KINDS = 8;
/** Shortest match, or run, worth its name. */
export const LEAST_MATCH = 2;
/** Single bytes since the last match, as far as they are counted. */
export const MOST_SINGLES = 3;

const SECOND_ORDER_BITS = 18;
const SECOND_ORDER_MASK = (1 << SECOND_ORDER_BITS) - 1;

export const ROLE = { length: 0, shift: MATCH_KINDS, far: MATCH_KINDS + 1, count: MATCH_KINDS + 2 } as const;

export class TextModel {
  readonly isMatch = new BitOdds(MOST_SINGLES + 1);
  readonly kind = new BitOdds((MOST_SINGLES + 1) * MATCH_KINDS);
  readonly numbers = new NumberOdds(ROLE.count);
  readonly #byLast = new BitOdds(256 * 256);
  readonly #byLastTwo = new BitOdds(SECOND_ORDER_MASK + 1);
  readonly #byExpected = new BitOdds(257 * 256);
  /** Last distances that matched, the latest first. */
  readonly distances = [1, 2, 3];
  singles = 0;

  sawMatch(kind: number, distance: number): void {
    this.singles = 0;
    if (kind === MATCH.again || kind === MATCH.run) return;
    const place = kind < MATCH.shifted ? kind : this.distances.length - 1;
    this.distances.splice(place, 1);
    this.distances.unshift(distance);
  }

  sawSingle(): void {
    if (this.singles < MOST_SINGLES) this.singles++;
  }

  /** @param expected the byte at the last distance; 256 where there is none. @returns the bits that it took */
  encodeByte(coder: BitEncoder, value: number, last: number, lastTwo: number, expected: number): number {
    let price = 0;
    for (let node = 1, shift = 7; shift >= 0; shift--) {
      const bit = (value >> shift) & 1;
      const places = this.#places(node, last, lastTwo, expected);
      const odds = this.#mixed(places);
      coder.bitWith(odds, bit);
      price += bitPrice(odds, bit);
      this.#learn(places, bit);
      node = node * 2 + bit;
    }
    return price;
  }

  /** Bits that {@link encodeByte} takes now. */
  bytePrice(value: number, last: number, lastTwo: number, expected: number): number {
    let price = 0;
    for (let node = 1, shift = 7; shift >= 0; shift--) {
      const bit = (value >> shift) & 1;
      price += bitPrice(this.#mixed(this.#places(node, last, lastTwo, expected)), bit);
      node = node * 2 + bit;
    }
    return price;
  }

  decodeByte(coder: BitDecoder, last: number, lastTwo: number, expected: number): number {
    let node = 1;
    while (node < 256) {
      const places = this.#places(node, last, lastTwo, expected);
      const bit = coder.bitWith(this.#mixed(places));
      this.#learn(places, bit);
      node = node * 2 + bit;
    }
    return node & 255;
  }

  readonly #scratch: [number, number, number] = [0, 0, 0];

  #places(node: number, last: number, lastTwo: number, expected: number): readonly [number, number, number] {
    const places = this.#scratch;
    places[0] = last * 256 + node;
    places[1] = (Math.imul(lastTwo * 256 + node, 0x9e37_79b1) >>> (32 - SECOND_ORDER_BITS)) & SECOND_ORDER_MASK;
    places[2] = expected * 256 + node;
    return places;
  }

  /** Each estimate counts by what it has seen, and the odds of the odds: a sure one says more. */
  #mixed([byLast, byLastTwo, byExpected]: readonly [number, number, number]): number {
    const first = weightOf(this.#byLast, byLast);
    const second = weightOf(this.#byLastTwo, byLastTwo) * 2;
    const third = weightOf(this.#byExpected, byExpected);
    const sum =
      (this.#byLast.odds[byLast] as number) * first +
      (this.#byLastTwo.odds[byLastTwo] as number) * second +
      (this.#byExpected.odds[byExpected] as number) * third;
    return Math.floor(sum / (first + second + third));
  }

  #learn([byLast, byLastTwo, byExpected]: readonly [number, number, number], bit: number): void {
    this.#byLast.learn(byLast, bit);
    this.#byLastTwo.learn(byLastTwo, bit);
    this.#byExpected.learn(byExpected, bit);
  }
}

/** From 1, for an estimate that has seen nothing, to some 5,000, for one that has seen much and is sure. */
function weightOf(odds: BitOdds, at: number): number {
  const seen = Math.min(odds.seen[at] as number, 30);
  const lean = Math.abs((odds.odds[at] as number) - 32_768) >>> 8;
  return 1 + seen * (8 + lean);
}
