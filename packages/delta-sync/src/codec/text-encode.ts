// Bytes, and a dictionary in front of them -> matches and single bytes; the inverse of text-decode.ts.
import { BitEncoder } from '../coder/bit-coder.ts';
import { ByteSink } from '../coder/byte-io.ts';
import { encodeNumber, zigzag } from '../coder/number-coder.ts';
import { MatchFinder } from './match-finder.ts';
import { expectedAt } from './text-decode.ts';
import { LEAST_MATCH, MATCH, MATCH_KINDS, ROLE, TextModel } from './text-model.ts';
import { TextPlanner, type TextStep } from './text-plan.ts';

/** Bytes that were coded. */
export interface CodedText {
  readonly stream: Uint8Array;
  /** Whether runs of bytes as they are stand in it: from version 3 of the format on. */
  readonly hasRuns: boolean;
}

/** Runs must save this much, or a device that does not know them could read the delta. */
const LEAST_SAVED_BYTES = 64;
/** So many single bytes behind each other, or more, could be a run. */
const LEAST_RUN = 16;

/**
 * @param history the dictionary and the bytes; those from `start` on are coded.
 * @param mayRun bytes that no odds make shorter may stand as they are
 */
export function encodeText(history: Uint8Array, start: number, mayRun: boolean): CodedText {
  const plain = new Coding(history, false).from(start);
  if (!mayRun || plain.lostBits < 8 * LEAST_SAVED_BYTES) return { stream: plain.stream, hasRuns: false };
  const { stream } = new Coding(history, true).from(start);
  const hasRuns = stream.byteLength + LEAST_SAVED_BYTES <= plain.stream.byteLength;
  return { stream: hasRuns ? stream : plain.stream, hasRuns };
}

class Coding {
  readonly #history: Uint8Array;
  readonly #sink: ByteSink;
  readonly #coder: BitEncoder;
  readonly #model = new TextModel();
  readonly #planner: TextPlanner;
  /** Of the single bytes behind the last match: how many, and the bits that they took more than they have. */
  #singles = 0;
  #lost = 0;
  #lostBits = 0;

  constructor(history: Uint8Array, mayRun: boolean) {
    this.#history = history;
    this.#sink = new ByteSink(history.length >> 2);
    this.#coder = new BitEncoder(this.#sink);
    this.#planner = new TextPlanner(history, this.#model, new MatchFinder(history), mayRun);
  }

  from(start: number): { readonly stream: Uint8Array; readonly lostBits: number } {
    for (let at = start; at < this.#history.length; ) {
      for (const step of this.#planner.plan(at)) {
        const isMatch = step.length >= LEAST_MATCH;
        this.#coder.bit(this.#model.isMatch, this.#model.singles, isMatch ? 1 : 0);
        if (isMatch) this.#match(step, at);
        else this.#single(at);
        at += step.length;
      }
    }
    this.#endSingles();
    this.#coder.finish();
    return { stream: this.#sink.written(), lostBits: this.#lostBits };
  }

  #single(at: number): void {
    const history = this.#history;
    const last = at > 0 ? (history[at - 1] as number) : 0;
    const lastTwo = at > 1 ? last * 256 + (history[at - 2] as number) : last;
    const expected = expectedAt(this.#model, history, at);
    this.#lost += this.#model.encodeByte(this.#coder, history[at] as number, last, lastTwo, expected) - 8;
    this.#singles++;
    this.#model.sawSingle();
  }

  #endSingles(): void {
    if (this.#singles >= LEAST_RUN && this.#lost > 0) this.#lostBits += this.#lost;
    this.#singles = 0;
    this.#lost = 0;
  }

  #match({ kind, length, distance }: TextStep, at: number): void {
    this.#endSingles();
    const [coder, model] = [this.#coder, this.#model];
    for (let node = 1, shift = 2; shift >= 0; shift--) {
      const bit = (kind >> shift) & 1;
      coder.bit(model.kind, model.singles * MATCH_KINDS + node, bit);
      node = node * 2 + bit;
    }
    encodeNumber(coder, model.numbers, ROLE.length + kind, length - LEAST_MATCH);
    if (kind === MATCH.shifted) {
      encodeNumber(coder, model.numbers, ROLE.shift, zigzag(distance - (model.distances[0] as number)));
    } else if (kind === MATCH.far) encodeNumber(coder, model.numbers, ROLE.far, distance);
    else if (kind === MATCH.run)
      for (let byte = at; byte < at + length; byte++) coder.byte(this.#history[byte] as number);
    model.sawMatch(kind, distance);
  }
}
