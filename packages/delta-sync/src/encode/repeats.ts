// Bytes of a tensor -> what they take as text, where they repeat themselves: masks, tables of places, repeated rows. Weights do not,
// and are told from those at a glance.
import { encodeText } from '../codec/text-encode.ts';

const WORD_BYTES = 4;
const TABLE_BITS = 16;
/** Of the words; as text, less would seldom be shorter than as numbers. */
const LEAST_REPEATED = 0.5;
/** Of a larger chunk, pieces from all over it are coded to know the price. */
const PIECES = 4;
const PIECE_BYTES = 64 * 1024;
/** What takes less as numbers is not worth the time. */
const LEAST_BITS = 8 * 512;

/** Bits of `bytes` as text; null where that is not less than `most`. */
export function repeatedBits(bytes: Uint8Array, most: number): number | null {
  if (most < LEAST_BITS || shareRepeated(bytes) < LEAST_REPEATED) return null;
  const priced = sampleOf(bytes);
  const bits = (encodeText(priced, 0).byteLength * 8 * bytes.byteLength) / priced.byteLength;
  return bits < most ? bits : null;
}

function sampleOf(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength <= PIECES * PIECE_BYTES) return bytes;
  const sample = new Uint8Array(PIECES * PIECE_BYTES);
  for (let piece = 0; piece < PIECES; piece++) {
    const from = Math.floor((piece * (bytes.byteLength - PIECE_BYTES)) / (PIECES - 1));
    sample.set(bytes.subarray(from, from + PIECE_BYTES), piece * PIECE_BYTES);
  }
  return sample;
}

/** Share of the words that stood at one of the last places with the same hash. */
function shareRepeated(bytes: Uint8Array): number {
  const aligned = new Uint8Array(bytes);
  const words = new Uint32Array(aligned.buffer, 0, Math.floor(aligned.byteLength / WORD_BYTES));
  const last = new Int32Array(1 << TABLE_BITS).fill(-1);
  let repeated = 0;
  for (const [at, word] of words.entries()) {
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);
    if (words[last[hash] as number] === word) repeated++;
    last[hash] = at;
  }
  return words.length === 0 ? 0 : repeated / words.length;
}
