// Bytes, and what the model has learnt so far -> the matches and single bytes that take least, some thousand bytes ahead.
//
// The cheapest way to each place is found from front to back; the last distances are part of a way, and those of the cheapest
// way to a place are the ones that count there. Prices are what the model would ask now, and are asked again for each stretch.
import { bitPrice } from '../coder/bit-coder.ts';
import { numberPrice, zigzag } from '../coder/number-coder.ts';
import { LEAST_FOUND, type MatchFinder } from './match-finder.ts';
import { LEAST_MATCH, MATCH, MATCH_KINDS, MOST_SINGLES, ROLE, type TextModel } from './text-model.ts';

/** A match, a run of bytes as they are, or a single byte where the length is 1. */
export interface TextStep {
  readonly kind: number;
  readonly length: number;
  readonly distance: number;
}

/** Bytes that are looked at, and those whose steps are taken: what lies behind only tells how the stretch should end. */
const AHEAD = 4096;
const TAKEN = 3584;
/** A match this long is taken without looking further. */
const LONG_MATCH = 256;
/** A distance that differs this little from the last one is told by the difference. */
const SHIFT_REACH = 256;
const SINGLE = -1;
const KINDS = MATCH.run + 1;
/** Lengths of runs: longer ones are several. */
const RUNS = [16, 32, 64, 128, LONG_MATCH] as const;

export class TextPlanner {
  readonly #history: Uint8Array;
  readonly #model: TextModel;
  readonly #finder: MatchFinder;
  readonly #mayRun: boolean;
  readonly #costs = new Float64Array(AHEAD + LONG_MATCH + 1);
  readonly #froms = new Int32Array(AHEAD + LONG_MATCH + 1);
  readonly #kinds = new Int8Array(AHEAD + LONG_MATCH + 1);
  readonly #stepDistances = new Int32Array(AHEAD + LONG_MATCH + 1);
  /** The last three distances on the cheapest way to a place, and single bytes since its last match. */
  readonly #last = [0, 1, 2].map(() => new Int32Array(AHEAD + LONG_MATCH + 1)) as [Int32Array, Int32Array, Int32Array];
  readonly #singles = new Uint8Array(AHEAD + LONG_MATCH + 1);
  readonly #lengthPrices = Array.from({ length: KINDS }, () => new Float32Array(LONG_MATCH + 1));
  readonly #kindPrices = new Float32Array((MOST_SINGLES + 1) * MATCH_KINDS);

  /** @param mayRun bytes may stand as they are */
  constructor(history: Uint8Array, model: TextModel, finder: MatchFinder, mayRun: boolean) {
    this.#history = history;
    this.#mayRun = mayRun;
    this.#model = model;
    this.#finder = finder;
  }

  /** Steps from `start` on, at least one. */
  plan(start: number): TextStep[] {
    this.#askPrices();
    this.#costs.fill(Number.POSITIVE_INFINITY);
    this.#costs[0] = 0;
    const end = Math.min(AHEAD, this.#history.length - start);
    for (let at = 0; at < end; at++) {
      this.#arrive(at);
      const long = this.#leave(start, at);
      if (long !== null) return [...this.#stepsTo(at, end), long];
    }
    return this.#stepsTo(end, end === AHEAD ? TAKEN : end);
  }

  #askPrices(): void {
    const { numbers, kind } = this.#model;
    for (const [match, prices] of this.#lengthPrices.entries()) {
      for (let length = LEAST_MATCH; length <= LONG_MATCH; length++) {
        prices[length] = numberPrice(numbers, ROLE.length + match, length - LEAST_MATCH);
      }
    }
    for (let singles = 0; singles <= MOST_SINGLES; singles++) {
      for (let match = 0; match < KINDS; match++) {
        let price = bitPrice(this.#model.isMatch.odds[singles] as number, 1);
        for (let node = 1, shift = 2; shift >= 0; shift--) {
          const bit = (match >> shift) & 1;
          price += bitPrice(kind.odds[singles * MATCH_KINDS + node] as number, bit);
          node = node * 2 + bit;
        }
        this.#kindPrices[singles * MATCH_KINDS + match] = price;
      }
    }
  }

  /** The last distances and single bytes at a place, from those where its cheapest way came from. */
  #arrive(at: number): void {
    const [first, second, third] = this.#last;
    if (at === 0) {
      for (const [place, values] of this.#last.entries()) values[0] = this.#model.distances[place] as number;
      this.#singles[0] = this.#model.singles;
      return;
    }
    const from = this.#froms[at] as number;
    const kind = this.#kinds[at] as number;
    this.#singles[at] = kind === SINGLE ? Math.min(MOST_SINGLES, (this.#singles[from] as number) + 1) : 0;
    const moved = kind === SINGLE || kind === MATCH.again || kind === MATCH.run ? 0 : kind === MATCH.second ? 1 : 2;
    first[at] = moved === 0 ? (first[from] as number) : (this.#stepDistances[at] as number);
    second[at] = moved === 0 ? (second[from] as number) : (first[from] as number);
    third[at] = moved === 2 ? (second[from] as number) : (third[from] as number);
  }

  /** Prices every step from a place. @returns a match so long that nothing beats it, or null */
  #leave(start: number, at: number): TextStep | null {
    const place = start + at;
    const cost = this.#costs[at] as number;
    const singles = this.#singles[at] as number;
    for (let kind = 0; kind < this.#last.length; kind++) {
      const distance = (this.#last[kind] as Int32Array)[at] as number;
      const length = distance <= place ? this.#finder.lengthAt(place, distance) : 0;
      if (length >= LONG_MATCH) return { kind, length, distance };
      this.#reach(at, kind, distance, LEAST_MATCH, length, cost + this.#kindPrice(singles, kind));
    }
    const found = this.#finder.find(place, LONG_MATCH);
    const last = this.#last[0][at] as number;
    for (let match = 0, from = LEAST_FOUND; match < found; match++) {
      const length = this.#finder.lengths[match] as number;
      const distance = this.#finder.distances[match] as number;
      const kind = Math.abs(distance - last) <= SHIFT_REACH ? MATCH.shifted : MATCH.far;
      if (length >= LONG_MATCH) return { kind, length, distance };
      const price = this.#kindPrice(singles, kind) + this.#distancePrice(kind, distance, last);
      this.#reach(at, kind, distance, from, length, cost + price);
      from = length + 1;
    }
    if (this.#mayRun) this.#run(start, at, cost + this.#kindPrice(singles, MATCH.run));
    const price = bitPrice(this.#model.isMatch.odds[singles] as number, 0) + this.#bytePrice(place, last);
    this.#step(at + 1, at, SINGLE, 0, cost + price);
    return null;
  }

  #kindPrice(singles: number, kind: number): number {
    return this.#kindPrices[singles * MATCH_KINDS + kind] as number;
  }

  #distancePrice(kind: number, distance: number, last: number): number {
    const { numbers } = this.#model;
    if (kind === MATCH.far) return numberPrice(numbers, ROLE.far, distance);
    return numberPrice(numbers, ROLE.shift, zigzag(distance - last));
  }

  #bytePrice(place: number, distance: number): number {
    const history = this.#history;
    const last = place > 0 ? (history[place - 1] as number) : 0;
    const lastTwo = place > 1 ? last * 256 + (history[place - 2] as number) : last;
    const expected = distance <= place ? (history[place - distance] as number) : 256;
    return this.#model.bytePrice(history[place] as number, last, lastTwo, expected);
  }

  #reach(at: number, kind: number, distance: number, least: number, most: number, cost: number): void {
    const prices = this.#lengthPrices[kind] as Float32Array;
    for (let length = least; length <= most; length++) {
      this.#step(at + length, at, kind, distance, cost + (prices[length] as number));
    }
  }

  #run(start: number, at: number, cost: number): void {
    const prices = this.#lengthPrices[MATCH.run] as Float32Array;
    for (const length of RUNS) {
      if (start + at + length > this.#history.length) return;
      this.#step(at + length, at, MATCH.run, 0, cost + (prices[length] as number) + 8 * length);
    }
  }

  #step(to: number, from: number, kind: number, distance: number, cost: number): void {
    if (cost >= (this.#costs[to] as number)) return;
    this.#costs[to] = cost;
    this.#froms[to] = from;
    this.#kinds[to] = kind;
    this.#stepDistances[to] = distance;
  }

  /** The cheapest way to a place, as far as its steps begin before `before`. */
  #stepsTo(place: number, before: number): TextStep[] {
    const steps: TextStep[] = [];
    for (let at = place; at > 0; at = this.#froms[at] as number) {
      const from = this.#froms[at] as number;
      if (from >= before) continue;
      const kind = this.#kinds[at] as number;
      steps.push({ kind, length: at - from, distance: this.#stepDistances[at] as number });
    }
    return steps.reverse();
  }
}
