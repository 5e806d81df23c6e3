// A picture of bytes that mostly repeat their neighbours (a mask, a map of classes) <-> adaptive bits.
//
// For each byte: whether it is what its neighbours say, in the light of how much these agree; if not, its eight bits, in
// the light of what was expected. A mask that is 0 all over costs a hundredth of a bit a pixel.
import type { ByteSource } from './byte-sink.ts';
import { RangeCoder } from './range-coder.ts';

/** Bits are coded one by one: what lies beyond would hold up the thread that decodes it for a tenth of a second. */
export const MAX_FLAT_BYTES = 1 << 20;
/** Below this share of bytes that equal the one before, frequencies of whole bytes do as well and are much faster. */
const LEAST_REPEATS = 0.8;

const EXPECTED_CLASSES = 16;

/** Odds in 65,536ths that a bit is 0: one estimate follows quickly, one slowly; their mean is what counts. */
const EVEN = 1 << 15;
const QUICK = 4;
const SLOW = 7;

class Odds {
  private readonly quick: Uint16Array;
  private readonly slow: Uint16Array;

  constructor(count: number) {
    this.quick = new Uint16Array(count).fill(EVEN);
    this.slow = new Uint16Array(count).fill(EVEN);
  }

  code(coder: RangeCoder, bit: number, at: number): number {
    const quick = this.quick[at] as number;
    const slow = this.slow[at] as number;
    const coded = coder.code(bit, ((quick + slow) >>> 1) | 1);
    this.quick[at] = coded === 0 ? quick + ((65_535 - quick) >> QUICK) : quick - (quick >> QUICK);
    this.slow[at] = coded === 0 ? slow + ((65_535 - slow) >> SLOW) : slow - (slow >> SLOW);
    return coded;
  }
}

/** Whether this form may be smaller than frequencies of bytes. */
export function isFlatPlane(plane: Uint8Array): boolean {
  if (plane.length > MAX_FLAT_BYTES) return false;
  let repeats = 0;
  for (let at = 1; at < plane.length; at++) if (plane[at] === plane[at - 1]) repeats++;
  return repeats >= plane.length * LEAST_REPEATS;
}

export function encodeFlatPlane(plane: Uint8Array, rowBytes: number): Uint8Array {
  const coder = RangeCoder.encoder(plane.length >> 3);
  codeBytes(coder, plane, rowBytes);
  return coder.finish();
}

/** Fills `plane`. @throws {KerfError} MESSAGE_MALFORMED. */
export function decodeFlatPlane(source: ByteSource, rowBytes: number, plane: Uint8Array): void {
  const coder = RangeCoder.decoder();
  coder.start(source.take(source.count()));
  codeBytes(coder, plane, rowBytes);
  coder.end();
}

/** Writes the plane, or fills it, by the direction of the coder. */
function codeBytes(coder: RangeCoder, plane: Uint8Array, rowBytes: number): void {
  const hits = new Odds(32);
  const values = new Odds(EXPECTED_CLASSES * 256);
  for (let at = 0; at < plane.length; at++) {
    coder.reserveBits(9);
    const value = plane[at] as number;
    const seen = neighbours(plane, at, rowBytes);
    const expected = expectedOf(seen);
    if (hits.code(coder, value === expected ? 0 : 1, agreementOf(seen)) === 0) {
      plane[at] = expected;
      continue;
    }
    const models = (expected >> 4) * 256;
    let node = 1;
    for (let bit = 7; bit >= 0; bit--) node = (node << 1) | values.code(coder, (value >> bit) & 1, models + node);
    plane[at] = node & 0xff;
  }
}

/** Left, up, up and left, up and right, a byte each; 0 before the first row, and rows continue each other. */
function neighbours(plane: Uint8Array, at: number, rowBytes: number): number {
  const left = at > 0 ? (plane[at - 1] as number) : 0;
  if (at <= rowBytes) return left;
  const above = at - rowBytes;
  const upRight = rowBytes > 1 ? (plane[above + 1] as number) : 0;
  return left | ((plane[above] as number) << 8) | ((plane[above - 1] as number) << 16) | (upRight << 24);
}

/** The median of left, up and their gradient, as in JPEG-LS: an edge goes on, a slope goes on. */
function expectedOf(seen: number): number {
  const left = seen & 0xff;
  const up = (seen >>> 8) & 0xff;
  const corner = (seen >>> 16) & 0xff;
  if (corner >= Math.max(left, up)) return Math.min(left, up);
  if (corner <= Math.min(left, up)) return Math.max(left, up);
  return left + up - corner;
}

/** 0 to 31: which of the neighbours are equal, and whether all that is near is 0. */
function agreementOf(seen: number): number {
  const left = seen & 0xff;
  const up = (seen >>> 8) & 0xff;
  const corner = (seen >>> 16) & 0xff;
  const upRight = seen >>> 24;
  const same = (left === up ? 1 : 0) | (left === corner ? 2 : 0) | (up === upRight ? 4 : 0) | (left === 0 ? 8 : 0);
  return same | (left === 255 ? 16 : 0);
}
