// Bytes, and a dictionary in front of them -> matches and single bytes; the inverse of text-decode.ts.
import { BitEncoder } from '../coder/bit-coder.ts';
import { ByteSink } from '../coder/byte-io.ts';
import { encodeNumber, zigzag } from '../coder/number-coder.ts';
import { MatchFinder } from './match-finder.ts';
import { expectedAt } from './text-decode.ts';
import { LEAST_MATCH, MATCH, MATCH_KINDS, ROLE, TextModel } from './text-model.ts';
import { TextPlanner, type TextStep } from './text-plan.ts';

/** @param history the dictionary and the bytes; those from `start` on are coded. */
export function encodeText(history: Uint8Array, start: number): Uint8Array {
  const sink = new ByteSink((history.length - start) >> 2);
  const coder = new BitEncoder(sink);
  const model = new TextModel();
  const planner = new TextPlanner(history, model, new MatchFinder(history));
  for (let at = start; at < history.length; ) {
    for (const step of planner.plan(at)) {
      const isMatch = step.length >= LEAST_MATCH;
      coder.bit(model.isMatch, model.singles, isMatch ? 1 : 0);
      if (isMatch) encodeMatch(coder, model, step);
      else encodeSingle(coder, model, history, at);
      at += step.length;
    }
  }
  coder.finish();
  return sink.written();
}

function encodeSingle(coder: BitEncoder, model: TextModel, history: Uint8Array, at: number): void {
  const last = at > 0 ? (history[at - 1] as number) : 0;
  const lastTwo = at > 1 ? last * 256 + (history[at - 2] as number) : last;
  model.encodeByte(coder, history[at] as number, last, lastTwo, expectedAt(model, history, at));
  model.sawSingle();
}

function encodeMatch(coder: BitEncoder, model: TextModel, { kind, length, distance }: TextStep): void {
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
