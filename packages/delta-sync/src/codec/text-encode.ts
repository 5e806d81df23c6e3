// Bytes, and a dictionary in front of them -> matches and single bytes; the inverse of text-decode.ts.
import { BitEncoder } from '../coder/bit-coder.ts';
import { ByteSink } from '../coder/byte-io.ts';
import { encodeNumber, zigzag } from '../coder/number-coder.ts';
import { expectedAt } from './text-decode.ts';
import { LEAST_MATCH, MATCH, MATCH_KINDS, ROLE, TextModel } from './text-model.ts';

/** Matches of fewer bytes are found at the last distances only. */
const HASHED_BYTES = 4;
const HASH_BITS = 17;
/** How many earlier places with the same four bytes are tried. */
const TRIES = 96;
/** A match this long is taken without looking further. */
const LONG_MATCH = 512;
/** A distance that differs this little from the last one is told by the difference. */
const SHIFT_REACH = 256;

interface Match {
  readonly kind: number;
  readonly length: number;
  readonly distance: number;
  /** Bytes saved against single ones, about. */
  readonly gain: number;
}

const NONE: Match = { kind: MATCH.again, length: 0, distance: 0, gain: 0 };

/** @param history the dictionary and the bytes; those from `start` on are coded. */
export function encodeText(history: Uint8Array, start: number): Uint8Array {
  const sink = new ByteSink((history.length - start) >> 2);
  const coder = new BitEncoder(sink);
  const model = new TextModel();
  const finder = new MatchFinder(history);
  for (let at = start; at < history.length; ) {
    const match = finder.best(model, at);
    // One byte later there may be a better one.
    const isTaken = match.gain > 0 && (match.length >= LONG_MATCH || finder.best(model, at + 1).gain <= match.gain + 1);
    coder.bit(model.isMatch, model.singles, isTaken ? 1 : 0);
    if (isTaken) {
      encodeMatch(coder, model, match);
      at += match.length;
      continue;
    }
    const last = at > 0 ? (history[at - 1] as number) : 0;
    const lastTwo = at > 1 ? last * 256 + (history[at - 2] as number) : last;
    model.encodeByte(coder, history[at] as number, last, lastTwo, expectedAt(model, history, at));
    model.sawSingle();
    at++;
  }
  coder.finish();
  return sink.written();
}

function encodeMatch(coder: BitEncoder, model: TextModel, { kind, length, distance }: Match): void {
  for (let node = 1, shift = 2; shift >= 0; shift--) {
    const bit = (kind >> shift) & 1;
    coder.bit(model.kind, model.singles * MATCH_KINDS + node, bit);
    node = node * 2 + bit;
  }
  encodeNumber(coder, model.numbers, ROLE.length + kind, length - LEAST_MATCH);
  if (kind === MATCH.shifted) {
    encodeNumber(coder, model.numbers, ROLE.shift, zigzag(distance - (model.distances[0] as number)));
  } else if (kind === MATCH.far) encodeNumber(coder, model.numbers, ROLE.far, distance);
  model.sawMatch(kind, distance);
}

/** Earlier places by a hash of their first four bytes, chained from the latest back. */
class MatchFinder {
  readonly #history: Uint8Array;
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(-1);
  readonly #before: Int32Array;
  #known = 0;

  constructor(history: Uint8Array) {
    this.#history = history;
    this.#before = new Int32Array(history.length);
  }

  /** The match at `at` that saves most. */
  best(model: TextModel, at: number): Match {
    if (at >= this.#history.length) return NONE;
    this.#learnUpTo(at);
    let best = NONE;
    for (const [kind, distance] of model.distances.entries()) {
      const length = distance <= at ? this.#lengthAt(at, distance) : 0;
      const gain = length - 1 - kind * 0.25;
      if (length >= LEAST_MATCH && gain > best.gain) best = { kind, length, distance, gain };
    }
    if (best.length >= LONG_MATCH || at + HASHED_BYTES > this.#history.length) return best;
    let place = this.#heads[this.#hashAt(at)] as number;
    for (let tries = 0; place >= 0 && tries < TRIES; tries++) {
      const distance = at - place;
      const length = this.#lengthAt(at, distance);
      const shift = Math.abs(distance - (model.distances[0] as number));
      const kind = shift <= SHIFT_REACH ? MATCH.shifted : MATCH.far;
      const gain = length - (kind === MATCH.shifted ? 1.75 : 1.25 + Math.log2(distance) / 8);
      if (length >= HASHED_BYTES && gain > best.gain) best = { kind, length, distance, gain };
      if (length >= LONG_MATCH) break;
      place = this.#before[place] as number;
    }
    return best;
  }

  #learnUpTo(at: number): void {
    const last = Math.min(at, this.#history.length - HASHED_BYTES + 1);
    for (; this.#known < last; this.#known++) {
      const hash = this.#hashAt(this.#known);
      this.#before[this.#known] = this.#heads[hash] as number;
      this.#heads[hash] = this.#known;
    }
  }

  #hashAt(at: number): number {
    const history = this.#history;
    const four =
      (history[at] as number) |
      ((history[at + 1] as number) << 8) |
      ((history[at + 2] as number) << 16) |
      ((history[at + 3] as number) << 24);
    return Math.imul(four, 0x9e37_79b1) >>> (32 - HASH_BITS);
  }

  #lengthAt(at: number, distance: number): number {
    const history = this.#history;
    let length = 0;
    const most = history.length - at;
    while (length < most && history[at + length] === history[at + length - distance]) length++;
    return length;
  }
}
