// Bytes of a tensor, and the old ones -> what they take as text, where that is less than as numbers: masks, tables, rows that
// repeat themselves, elements that stay or become one of few. Most weights do not, and are told from those at a glance.

import { textToAdd } from '../codec/sums.ts';
import { encodeText } from '../codec/text-encode.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import type { Stretch } from './find-copies.ts';
import { rangesOf } from './lost-tensors.ts';
import { sampleOf } from './sample.ts';

/** Bytes as text, and what of the base stands in front of it. */
export interface TextForm {
  readonly bits: number;
  readonly dictionary: readonly BaseRange[];
}

const WORD_BYTES = 4;
const TABLE_BITS = 16;
/** Of the words of floats; with less, text would not be shorter than numbers. */
const LEAST_KNOWN = 0.25;
/** Pieces are coded to know the price: small ones, and larger ones where it is close. */
const LOOKS = [
  { pieceBytes: 4 * 1024, slack: 1.25 },
  { pieceBytes: 64 * 1024, slack: 1 },
] as const;
/** What takes less as numbers is not worth the time. */
const LEAST_BITS = 8 * 512;
/** A sum is told at a glance from what is none. */
const LEAST_SUM_BITS = 8 * 64;

const NOTHING = new Uint8Array(0);

/** What a match takes, about. */
const MATCH_BITS = 40;

/**
 * Behind the old bytes at the same place; null where that does not take less than `most`.
 * @param old as many bytes as `fresh`, or null when there are none
 */
export function textInPlace(
  fresh: Uint8Array,
  old: { readonly bytes: Uint8Array; readonly place: number } | null,
  most: number,
  isFloat: boolean,
): TextForm | null {
  const before = old?.bytes ?? new Uint8Array(0);
  if (most < LEAST_BITS || (isFloat && shareKnown(fresh, before) < LEAST_KNOWN)) return null;
  const bits = textBits(fresh, before, most);
  return bits === null
    ? null
    : { bits, dictionary: old === null ? [] : [{ offset: old.place, bytes: fresh.byteLength }] };
}

/** Added to the old bytes; null where that does not take less than `most`. @param old as many bytes as `fresh` */
export function sumInPlace(
  fresh: Uint8Array,
  old: Uint8Array,
  elementBytes: 1 | 2 | 4 | 8,
  most: number,
): number | null {
  if (most < LEAST_SUM_BITS || fresh.byteLength % elementBytes !== 0) return null;
  const text = textToAdd(old, fresh, elementBytes);
  // Text is slow: what moved all over by any amounts is left to numbers.
  if (shareKnown(text, NOTHING) < LEAST_KNOWN) return null;
  return textBits(text, NOTHING, most);
}

/** Of a text behind another one, by pieces of both; null where it takes no less than `most`. */
function textBits(fresh: Uint8Array, before: Uint8Array, most: number): number | null {
  let bits = 0;
  for (const { pieceBytes, slack } of LOOKS) {
    const sample = sampleOf(fresh, pieceBytes);
    const dictionary = sampleOf(before, pieceBytes);
    const history = new Uint8Array(dictionary.byteLength + sample.byteLength);
    history.set(dictionary);
    history.set(sample, dictionary.byteLength);
    bits = (encodeText(history, dictionary.byteLength).byteLength * 8 * fresh.byteLength) / sample.byteLength;
    if (bits >= most * slack) return null;
    if (sample.byteLength === fresh.byteLength) break;
  }
  return bits;
}

/** Behind the stretches of the base that it holds; null where there are none, or too many bytes of them. */
export function textElsewhere(fresh: Uint8Array, stretches: readonly Stretch[]): TextForm | null {
  const dictionary = rangesOf(stretches);
  const before = dictionary.reduce((sum, { bytes }) => sum + bytes, 0);
  if (before === 0 || before > MAX_SEGMENT_BYTES) return null;
  const found = stretches.reduce((sum, { bytes }) => sum + bytes, 0);
  return { bits: 8 * (fresh.byteLength - found) + MATCH_BITS * (stretches.length + dictionary.length), dictionary };
}

/** Share of the words that are the old ones, or stood at one of the last places with the same hash. */
function shareKnown(bytes: Uint8Array, old: Uint8Array): number {
  const words = wordsOf(bytes);
  const before = wordsOf(old);
  const last = new Int32Array(1 << TABLE_BITS).fill(-1);
  let known = 0;
  for (const [at, word] of words.entries()) {
    const hash = Math.imul(word, 0x9e37_79b1) >>> (32 - TABLE_BITS);
    if (before[at] === word || words[last[hash] as number] === word) known++;
    last[hash] = at;
  }
  return words.length === 0 ? 0 : known / words.length;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % WORD_BYTES === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / WORD_BYTES));
}
