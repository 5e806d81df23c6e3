// Whole numbers of a known role (a length, a distance, a count) <-> bits: the bit length, then the bits below the first.
import { damaged } from '../damaged.ts';
import { type BitDecoder, type BitEncoder, BitOdds, bitPrice } from './bit-coder.ts';

const MOST_BITS = 53;
const LENGTH_NODES = 64;
/** Bits behind the first whose odds are learnt; the ones below them are as good as random. */
const LEARNT_BITS = 3;
const NODES = 1 << LEARNT_BITS;
const EVEN = 1 << 15;

/** What was learnt of the numbers of each role. */
export class NumberOdds {
  readonly lengths: BitOdds;
  readonly tops: BitOdds;

  constructor(roles: number) {
    this.lengths = new BitOdds(roles * LENGTH_NODES);
    this.tops = new BitOdds(roles * (MOST_BITS + 1) * NODES);
  }
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32));
}

/** @param value a whole number below 2^53 */
export function encodeNumber(coder: BitEncoder, odds: NumberOdds, role: number, value: number): void {
  const length = bitLength(value);
  for (let node = 1, shift = 5; shift >= 0; shift--) {
    const bit = (length >> shift) & 1;
    coder.bit(odds.lengths, role * LENGTH_NODES + node, bit);
    node = node * 2 + bit;
  }
  let node = 1;
  const tops = (role * (MOST_BITS + 1) + length) * NODES;
  for (let place = length - 2; place >= 0; place--) {
    const bit = Math.floor(value / 2 ** place) % 2;
    if (node < NODES) {
      coder.bit(odds.tops, tops + node, bit);
      node = node * 2 + bit;
    } else coder.bitWith(EVEN, bit);
  }
}

/** Bits that {@link encodeNumber} takes now. */
export function numberPrice(odds: NumberOdds, role: number, value: number): number {
  const length = bitLength(value);
  let price = 0;
  for (let node = 1, shift = 5; shift >= 0; shift--) {
    const bit = (length >> shift) & 1;
    price += bitPrice(odds.lengths.odds[role * LENGTH_NODES + node] as number, bit);
    node = node * 2 + bit;
  }
  const tops = (role * (MOST_BITS + 1) + length) * NODES;
  for (let node = 1, place = length - 2; place >= 0; place--) {
    if (node >= NODES) return price + place + 1;
    const bit = Math.floor(value / 2 ** place) % 2;
    price += bitPrice(odds.tops.odds[tops + node] as number, bit);
    node = node * 2 + bit;
  }
  return price;
}

/** @throws {KerfError} DELTA_MALFORMED beyond `most`. */
export function decodeNumber(coder: BitDecoder, odds: NumberOdds, role: number, most: number): number {
  let length = 1;
  while (length < LENGTH_NODES) length = length * 2 + coder.bit(odds.lengths, role * LENGTH_NODES + length);
  length -= LENGTH_NODES;
  if (length > MOST_BITS) throw damaged('a number is too large');
  let value = length === 0 ? 0 : 1;
  let node = 1;
  const tops = (role * (MOST_BITS + 1) + length) * NODES;
  for (let place = length - 2; place >= 0; place--) {
    let bit: number;
    if (node < NODES) {
      bit = coder.bit(odds.tops, tops + node);
      node = node * 2 + bit;
    } else bit = coder.bitWith(EVEN);
    value = value * 2 + bit;
  }
  if (value > most) throw damaged('a number is too large');
  return value;
}

/** Signed numbers as unsigned ones: 0, -1, 1, -2, 2, ... */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
