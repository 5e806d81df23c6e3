// A large model file -> its bytes with zeros where large weights are; the weights stay in the file until they are copied.
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import { findHoles } from './find-holes.ts';
import type { Span } from './wire-reader.ts';
import { type Chunks, chunksLength } from './wire-writer.ts';

/** Files are read, hashed and copied in pieces of this size. */
export const COPY_BYTES = 4 * 1024 * 1024;

/** Raw data of this size and more is left in the file. */
export const HOLE_BYTES = 64 * 1024;

/** A file as it was when it was read. */
interface Source {
  readonly path: string;
  readonly byteLength: number;
  readonly mtimeMs: number;
}

const sources = new WeakMap<ArrayBufferLike, Source>();

/**
 * The bytes of a model file, large raw data left out: zeros that were never written to take addresses, not memory. The
 * hash is that of the whole file. Parts of the bytes must be read through {@link piecesOf}, which fills the holes.
 * @throws {KerfError} FILE_NOT_FOUND when the file changes while it is read.
 */
export async function readSparsely(file: string): Promise<{ bytes: Uint8Array; sha256: string }> {
  const handle = await open(file, 'r');
  try {
    const { size, mtimeMs } = await handle.stat();
    const holes = await findHoles(handle, size, HOLE_BYTES);
    const bytes = new Uint8Array(size);
    const hash = createHash('sha256');
    const buffer = new Uint8Array(COPY_BYTES);
    let at = 0;
    let hole = 0;
    for await (const piece of readRange(handle, { start: 0, end: size }, buffer, file)) {
      hash.update(piece);
      const end = at + piece.byteLength;
      while ((holes[hole]?.end ?? end) < at) hole++;
      for (const { start, end: stop } of between(holes, hole, { start: at, end })) {
        bytes.set(piece.subarray(start - at, stop - at), start);
      }
      at = end;
    }
    if (holes.length > 0) sources.set(bytes.buffer, { path: file, byteLength: size, mtimeMs });
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

/** What of a span lies outside the holes, from the hole of an index on. */
function* between(holes: readonly Span[], first: number, span: Span): Generator<Span> {
  let at = span.start;
  for (let index = first; at < span.end; index++) {
    const hole = holes[index];
    const end = Math.min(hole?.start ?? span.end, span.end);
    if (end > at) yield { start: at, end };
    at = hole === undefined ? span.end : Math.max(at, hole.end);
  }
}

async function* readRange(
  handle: FileHandle,
  { start, end }: Span,
  buffer: Uint8Array,
  file: string,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, end - at), at);
    if (bytesRead === 0) throw changed(file);
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function changed(file: string): KerfError {
  return new KerfError('FILE_NOT_FOUND', `'${file}' was changed while it was in use; try again`);
}

/** Whether large weights among these bytes are zeros here and stand in the model's file only. */
export function isSparse(bytes: Uint8Array): boolean {
  return bytes.byteLength >= HOLE_BYTES && sources.has(bytes.buffer);
}

/**
 * The true bytes of a chunk: itself, or pieces out of the model's file, each valid until the next.
 * @throws {KerfError} FILE_NOT_FOUND when the file has changed since it was read.
 */
export async function* piecesOf(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  const source = isSparse(chunk) ? sources.get(chunk.buffer) : undefined;
  if (source === undefined) {
    yield chunk;
    return;
  }
  const handle = await open(source.path, 'r');
  try {
    const { size, mtimeMs } = await handle.stat();
    if (size !== source.byteLength || mtimeMs !== source.mtimeMs) throw changed(source.path);
    const span = { start: chunk.byteOffset, end: chunk.byteOffset + chunk.byteLength };
    yield* readRange(handle, span, new Uint8Array(Math.min(COPY_BYTES, chunk.byteLength)), source.path);
  } finally {
    await handle.close();
  }
}

/** One array of all chunks, weights filled in. @throws {KerfError} FILE_NOT_FOUND as {@link piecesOf} does. */
export async function readChunks(chunks: Chunks): Promise<Uint8Array> {
  const result = new Uint8Array(chunksLength(chunks));
  let at = 0;
  for (const chunk of chunks) {
    for await (const piece of piecesOf(chunk)) {
      result.set(piece, at);
      at += piece.byteLength;
    }
  }
  return result;
}
