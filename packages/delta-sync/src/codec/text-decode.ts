// A stream of matches and single bytes, and a dictionary -> the bytes.
import { BitDecoder } from '../coder/bit-coder.ts';
import { decodeNumber, unzigzag } from '../coder/number-coder.ts';
import { damaged } from '../damaged.ts';
import { LEAST_MATCH, MATCH, MATCH_KINDS, ROLE, TextModel } from './text-model.ts';

/**
 * Text, structure, anything that is not a tensor.
 * @param history the dictionary, and room for the bytes behind it
 * @param start where the dictionary ends
 * @throws {KerfError} DELTA_MALFORMED.
 */
export function decodeText(stream: Uint8Array, history: Uint8Array, start: number): void {
  const coder = new BitDecoder(stream);
  const model = new TextModel();
  for (let at = start; at < history.length; ) {
    if (coder.bit(model.isMatch, model.singles) === 0) {
      history[at] = decodeSingle(coder, model, history, at);
      model.sawSingle();
      at++;
      continue;
    }
    let kind = 1;
    while (kind < MATCH_KINDS) kind = kind * 2 + coder.bit(model.kind, model.singles * MATCH_KINDS + kind);
    kind -= MATCH_KINDS;
    const length = decodeNumber(coder, model.numbers, ROLE.length + kind, history.length) + LEAST_MATCH;
    if (length > history.length - at) throw damaged('a match goes beyond the end');
    const end = at + length;
    let distance = 0;
    if (kind === MATCH.run) for (; at < end; at++) history[at] = coder.byte();
    else {
      distance = decodeDistance(coder, model, kind, at);
      if (distance < 1 || distance > at) throw damaged('a match begins before the beginning');
      for (; at < end; at++) history[at] = history[at - distance] as number;
    }
    model.sawMatch(kind, distance);
  }
  coder.finish();
}

function decodeDistance(coder: BitDecoder, model: TextModel, kind: number, at: number): number {
  if (kind < MATCH.shifted) return model.distances[kind] as number;
  if (kind === MATCH.shifted) {
    const shift = unzigzag(decodeNumber(coder, model.numbers, ROLE.shift, 2 ** 31));
    return (model.distances[0] as number) + shift;
  }
  if (kind === MATCH.far) return decodeNumber(coder, model.numbers, ROLE.far, at);
  throw damaged(`there is no match of the kind ${kind}`);
}

function decodeSingle(coder: BitDecoder, model: TextModel, history: Uint8Array, at: number): number {
  const last = at > 0 ? (history[at - 1] as number) : 0;
  const lastTwo = at > 1 ? last * 256 + (history[at - 2] as number) : last;
  return model.decodeByte(coder, last, lastTwo, expectedAt(model, history, at));
}

/** The byte that the last match would go on with; 256 where there is none. */
export function expectedAt(model: TextModel, history: Uint8Array, at: number): number {
  const distance = model.distances[0] as number;
  return distance <= at ? (history[at - distance] as number) : 256;
}
