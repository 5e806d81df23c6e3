// Where each field of a message's 16-byte preamble is, and how everything after it is aligned.
import { PROTOCOL_VERSION } from './messages.ts';

/** Bytes 4B 45 52 46, "KERF", read as a little-endian number. */
export const MAGIC = 0x4652454b;
export const PREAMBLE_BYTES = 16;
/** Header and payloads start at multiples of this from the start of the message: enough for every typed array. */
export const ALIGNMENT_BYTES = 16;

export interface Preamble {
  readonly version: number;
  readonly type: number;
  readonly payloadCount: number;
  readonly headerBytes: number;
  readonly totalBytes: number;
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

export function writePreamble(view: DataView, preamble: Omit<Preamble, 'version'>): void {
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, PROTOCOL_VERSION);
  view.setUint8(5, preamble.type);
  view.setUint16(6, preamble.payloadCount, true);
  view.setUint32(8, preamble.headerBytes, true);
  view.setUint32(12, preamble.totalBytes, true);
}

/** Null when the magic is not there. */
export function readPreamble(view: DataView): Preamble | null {
  if (view.byteLength < PREAMBLE_BYTES || view.getUint32(0, true) !== MAGIC) return null;
  return {
    version: view.getUint8(4),
    type: view.getUint8(5),
    payloadCount: view.getUint16(6, true),
    headerBytes: view.getUint32(8, true),
    totalBytes: view.getUint32(12, true),
  };
}
