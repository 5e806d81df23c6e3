// Counts of symbols <-> frequencies that sum to 4096, and their few bytes in a delta.
import { damaged } from '../damaged.ts';
import type { BitDecoder, BitEncoder } from './bit-coder.ts';
import { decodeNumber, encodeNumber, type NumberOdds } from './number-coder.ts';

export const PRECISION_BITS = 12;
export const PRECISION = 1 << PRECISION_BITS;
export const SYMBOLS = 256;

/** Roles of the numbers that describe tables, by the size of the frequency before. */
export const FREQUENCY_ROLES = 14;

/** Frequencies that sum to 4096, none of a symbol that occurs being 0. At least one symbol must occur. */
export function frequenciesOf(counts: Uint32Array): Uint16Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const frequencies = new Uint16Array(SYMBOLS);
  let left = PRECISION;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const count = counts[symbol] as number;
    if (count === 0) continue;
    const share = Math.max(1, Math.round((count / total) * PRECISION));
    frequencies[symbol] = share;
    left -= share;
  }
  while (left !== 0) {
    const symbol = cheapestToMove(frequencies, counts, left > 0);
    frequencies[symbol] = (frequencies[symbol] as number) + Math.sign(left);
    left -= Math.sign(left);
  }
  return frequencies;
}

/** The symbol whose frequency may go up (gain most) or down (lose least) by one. */
function cheapestToMove(frequencies: Uint16Array, counts: Uint32Array, isUp: boolean): number {
  let best = -1;
  let bestGain = Number.NEGATIVE_INFINITY;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = frequencies[symbol] as number;
    if (frequency === 0 || (!isUp && frequency === 1)) continue;
    const gain = (counts[symbol] as number) * Math.log2((frequency + (isUp ? 1 : -1)) / frequency);
    if (gain <= bestGain) continue;
    best = symbol;
    bestGain = gain;
  }
  return best;
}

/** For each symbol until the sum is reached: its frequency; a 0 is followed by how many more symbols are 0. */
export function writeFrequencies(coder: BitEncoder, odds: NumberOdds, role: number, frequencies: Uint16Array): void {
  let before = 0;
  for (let symbol = 0, sum = 0; sum < PRECISION; symbol++) {
    const frequency = frequencies[symbol] as number;
    encodeNumber(coder, odds, role + roleAfter(before), frequency);
    before = frequency;
    sum += frequency;
    if (frequency > 0) continue;
    let run = 0;
    while (frequencies[symbol + 1 + run] === 0) run++;
    encodeNumber(coder, odds, role + FREQUENCY_ROLES - 1, run);
    symbol += run;
  }
}

/** @throws {KerfError} DELTA_MALFORMED. */
export function readFrequencies(coder: BitDecoder, odds: NumberOdds, role: number): Uint16Array {
  const frequencies = new Uint16Array(SYMBOLS);
  let before = 0;
  for (let symbol = 0, sum = 0; sum < PRECISION; symbol++) {
    if (symbol >= SYMBOLS) throw damaged('frequencies do not add up');
    const frequency = decodeNumber(coder, odds, role + roleAfter(before), PRECISION - sum);
    frequencies[symbol] = frequency;
    before = frequency;
    sum += frequency;
    if (frequency === 0) symbol += decodeNumber(coder, odds, role + FREQUENCY_ROLES - 1, SYMBOLS);
  }
  return frequencies;
}

/** Neighbouring tokens are about as frequent. */
function roleAfter(frequency: number): number {
  return Math.min(FREQUENCY_ROLES - 2, 32 - Math.clz32(frequency));
}
