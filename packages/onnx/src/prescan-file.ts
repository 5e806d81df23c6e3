// The first bytes of each top-level field of a large file -> an early refusal, before the file is read into memory.
import type { FileHandle } from 'node:fs/promises';
import { FieldReader, WIRE } from './wire-reader.ts';

/** More than a tag of five bytes and a length of ten. */
const HEADER_BYTES = 32;

/** A model has a dozen top-level fields; beyond this the full reading decides. */
const MAX_FIELDS = 1000;

/**
 * Walks the top-level fields by their lengths. A large file that is cut short, or is something else altogether, is
 * refused at the cost of a few reads; its gigabytes never enter memory.
 * @throws {KerfError} MODEL_MALFORMED.
 */
export async function prescanFile(handle: FileHandle, byteLength: number): Promise<void> {
  const buffer = new Uint8Array(HEADER_BYTES);
  for (let at = 0, count = 0; at < byteLength && count < MAX_FIELDS; count++) {
    const { bytesRead } = await handle.read(buffer, 0, HEADER_BYTES, at);
    const head = buffer.subarray(0, bytesRead);
    // A group has no length of its own: the full reading walks through it.
    if (((head[0] ?? 0) & 7) === WIRE.groupStart) return;
    // The reader sees the header only, and is told how far the file goes.
    const reader = new FieldReader(head, { start: 0, end: byteLength - at }, () => `the model, from byte ${at}`);
    if (!reader.next()) return;
    at += reader.end;
  }
}
