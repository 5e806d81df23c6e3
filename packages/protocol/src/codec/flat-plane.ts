// A picture of bytes that mostly repeat their neighbours (a mask, a map of classes) <-> adaptive bits.
//
// For each byte: whether it is what its neighbours say, in the light of how much these agree; if not, its eight bits, in
// the light of what was expected. A mask that is 0 all over costs a hundredth of a bit a pixel.
import { BitDecoder, BitEncoder, BitOdds } from './bit-coder.ts';
import { ByteSink, type ByteSource } from './byte-sink.ts';

/** Bits are coded one by one: what lies beyond would hold up the thread that decodes it for a tenth of a second. */
export const MAX_FLAT_BYTES = 1 << 20;
/** Below this share of bytes that equal the one before, frequencies of whole bytes do as well and are much faster. */
const LEAST_REPEATS = 0.8;

const EXPECTED_CLASSES = 16;

class Models {
  readonly hit = new BitOdds(32);
  readonly value = new BitOdds(EXPECTED_CLASSES * 256);
}

/** Whether this form may be smaller than frequencies of bytes. */
export function isFlatPlane(plane: Uint8Array): boolean {
  if (plane.length > MAX_FLAT_BYTES) return false;
  let repeats = 0;
  for (let at = 1; at < plane.length; at++) if (plane[at] === plane[at - 1]) repeats++;
  return repeats >= plane.length * LEAST_REPEATS;
}

export function encodeFlatPlane(plane: Uint8Array, rowBytes: number): Uint8Array {
  const sink = new ByteSink(plane.length >> 3);
  const coder = new BitEncoder(sink);
  const models = new Models();
  for (let at = 0; at < plane.length; at++) {
    const value = plane[at] as number;
    const seen = neighbours(plane, at, rowBytes);
    const expected = expectedOf(seen);
    coder.encode(value === expected ? 0 : 1, models.hit, agreementOf(seen));
    if (value === expected) continue;
    const models0 = (expected >> 4) * 256;
    for (let node = 1, bit = 7; bit >= 0; bit--) {
      const set = (value >> bit) & 1;
      coder.encode(set, models.value, models0 + node);
      node = (node << 1) | set;
    }
  }
  coder.finish();
  return sink.written();
}

/** Fills `plane`. @throws {KerfError} MESSAGE_MALFORMED. */
export function decodeFlatPlane(source: ByteSource, rowBytes: number, plane: Uint8Array): void {
  const coder = new BitDecoder(source);
  const models = new Models();
  for (let at = 0; at < plane.length; at++) {
    const seen = neighbours(plane, at, rowBytes);
    const expected = expectedOf(seen);
    if (coder.decode(models.hit, agreementOf(seen)) === 0) {
      plane[at] = expected;
      continue;
    }
    const models0 = (expected >> 4) * 256;
    let node = 1;
    while (node < 256) node = (node << 1) | coder.decode(models.value, models0 + node);
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
