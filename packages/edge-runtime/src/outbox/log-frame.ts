// Payloads <-> frames of a segment: length and checksum around each, found again behind damage.
import { crc32c } from './crc32c.ts';

/**
 * | offset | bytes | little-endian |
 * |---|---|---|
 * | 0 | 4 | magic `KFR1` |
 * | 4 | 4 | payload bytes |
 * | 8 | 4 | CRC-32C of bytes 4 to 7 and of the payload |
 * | 12 | n | payload |
 */
export const FRAME_HEADER_BYTES = 12;
const MAGIC = 0x3152464b;

export function encodeFrame(payload: readonly Uint8Array[]): Uint8Array {
  const length = payload.reduce((sum, part) => sum + part.byteLength, 0);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, length, true);
  let at = FRAME_HEADER_BYTES;
  for (const part of payload) {
    frame.set(part, at);
    at += part.byteLength;
  }
  view.setUint32(8, checksumOf(frame, 0, length), true);
  return frame;
}

function checksumOf(bytes: Uint8Array, at: number, length: number): number {
  const seed = crc32c(bytes.subarray(at + 4, at + 8));
  return crc32c(bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length), seed);
}

export interface FoundFrame {
  /** Of the frame in the segment, and of all of it. */
  readonly offset: number;
  readonly byteLength: number;
  readonly payload: Uint8Array;
}

export interface SegmentScan {
  readonly frames: readonly FoundFrame[];
  /** Bytes that belong to no whole frame: a torn tail, or damage. */
  readonly damagedBytes: number;
}

/** Every whole frame of a segment. What a torn write or a flipped bit spoilt is skipped, not what stands behind it. */
export function scanSegment(bytes: Uint8Array): SegmentScan {
  const frames: FoundFrame[] = [];
  let damagedBytes = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const frame = frameAt(bytes, at);
    if (frame === null) {
      damagedBytes++;
      at++;
    } else {
      frames.push(frame);
      at += frame.byteLength;
    }
  }
  return { frames, damagedBytes };
}

/** The frame that starts at `at`; null where none does, or a damaged one. */
export function frameAt(bytes: Uint8Array, at: number): FoundFrame | null {
  if (at + FRAME_HEADER_BYTES > bytes.byteLength) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return null;
  const length = view.getUint32(4, true);
  const byteLength = FRAME_HEADER_BYTES + length;
  if (at + byteLength > bytes.byteLength || view.getUint32(8, true) !== checksumOf(bytes, at, length)) return null;
  return { offset: at, byteLength, payload: bytes.subarray(at + FRAME_HEADER_BYTES, at + byteLength) };
}

/** One piece after the other; the only one as it is. */
export function joined(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.byteLength;
  }
  return bytes;
}
