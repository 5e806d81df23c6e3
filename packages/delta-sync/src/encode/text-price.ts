// Bytes of a tensor, and the old ones -> what they take as text, where that is less than as numbers: masks, tables, rows that
// repeat themselves, elements that stay or become one of few. Most weights do not, and are told from those at a glance.

import { textToAdd } from '../codec/sums.ts';
import { encodeText } from '../codec/text-encode.ts';
import { MAX_SEGMENT_BYTES } from '../format/limits.ts';
import type { BaseRange } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';
import type { Stretch } from './find-copies.ts';
import { rangesOf } from './lost-tensors.ts';
import { matched } from './match-price.ts';
import { sampleOf } from './sample.ts';

/** Bytes as text, and what of the base stands in front of it. */
export interface TextForm {
  readonly bits: number;
  readonly dictionary: readonly BaseRange[];
}

/** Where fewer bytes are matched, text is not likely to be shorter than numbers; nor where single bytes take so much, and all no less. */
const MOST_SINGLES = 0.75;
const NOISE_BITS = 6.8;
const NOISE = 0.99;
/** With so much less, all of it is coded to know. */
const CLEARLY = 0.85;
/** Pieces are coded to know the price: small ones, and larger ones where it is close. */
const LOOKS = [
  { pieceBytes: 4 * 1024, slack: 1.25 },
  { pieceBytes: 64 * 1024, slack: 1 },
] as const;
/** What takes less as numbers is not worth the time. */
const LEAST_BITS = 8 * 512;
/** A sum is told in one pass from what is none. */
const LEAST_SUM_BITS = 8 * 64;

const NOTHING = new Uint8Array(0);

/** What a match takes, about. */
const MATCH_BITS = 40;

/**
 * Behind old bytes; null where that does not take less than `most`.
 * @param old null when there are none
 */
export function textBehind(
  fresh: Uint8Array,
  old: { readonly bytes: Uint8Array; readonly place: number } | null,
  most: number,
  isFloat: boolean,
  format: FormatVersion,
): TextForm | null {
  if (most < LEAST_BITS) return null;
  const bits = textBits(fresh, old?.bytes ?? NOTHING, most, isFloat, format);
  if (bits === null) return null;
  return { bits, dictionary: old === null ? [] : [{ offset: old.place, bytes: old.bytes.byteLength }] };
}

/** Added to the old bytes; null where that does not take less than `most`. @param old as many bytes as `fresh` */
export function sumInPlace(
  fresh: Uint8Array,
  old: Uint8Array,
  elementBytes: 1 | 2 | 4 | 8,
  most: number,
  format: FormatVersion,
): number | null {
  if (most < LEAST_SUM_BITS || fresh.byteLength % elementBytes !== 0) return null;
  // Text is slow: what moved all over by any amounts is left to numbers.
  return textBits(textToAdd(old, fresh, elementBytes), NOTHING, most, true, format);
}

/**
 * Of a text behind another one; null where it takes no less than `most`.
 * @param isUnlikely nothing is coded of what has few matches
 */
export function textBits(
  fresh: Uint8Array,
  before: Uint8Array,
  most: number,
  isUnlikely: boolean,
  format: FormatVersion,
): number | null {
  const { bits, singles, bitsOfSingle } = matched(fresh, before);
  if (singles > MOST_SINGLES && (isUnlikely || (bitsOfSingle > NOISE_BITS && bits >= most * NOISE))) return null;
  const sampled = sampledBits(fresh, before, most, format);
  if (sampled !== null || bits >= most * CLEARLY) return sampled;
  const whole = codedBits(fresh, before, format);
  return whole < most ? whole : null;
}

/** By pieces of both; null where they take no less than `most`. */
function sampledBits(fresh: Uint8Array, before: Uint8Array, most: number, format: FormatVersion): number | null {
  let bits = 0;
  for (const { pieceBytes, slack } of LOOKS) {
    const sample = sampleOf(fresh, pieceBytes);
    bits = (codedBits(sample, sampleOf(before, pieceBytes), format) * fresh.byteLength) / sample.byteLength;
    if (bits >= most * slack) return null;
    if (sample.byteLength === fresh.byteLength) break;
  }
  return bits;
}

export function codedBits(fresh: Uint8Array, before: Uint8Array, format: FormatVersion): number {
  const history = new Uint8Array(before.byteLength + fresh.byteLength);
  history.set(before);
  history.set(fresh, before.byteLength);
  return encodeText(history, before.byteLength, format >= 3).stream.byteLength * 8;
}

/** Behind the stretches of the base that it holds; null where there are none, or too many bytes of them. */
export function textElsewhere(fresh: Uint8Array, stretches: readonly Stretch[]): TextForm | null {
  const dictionary = rangesOf(stretches);
  const before = dictionary.reduce((sum, { bytes }) => sum + bytes, 0);
  if (before === 0 || before > MAX_SEGMENT_BYTES) return null;
  const found = stretches.reduce((sum, { bytes }) => sum + bytes, 0);
  return { bits: 8 * (fresh.byteLength - found) + MATCH_BITS * (stretches.length + dictionary.length), dictionary };
}
