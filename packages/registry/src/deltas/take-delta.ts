// A delta that a publisher has made and sends -> a delta in the blob store, once it is seen to be the one that its address says.
import { createHash } from 'node:crypto';
import { type ByteReader, HEADER_BYTES, readDeltaIndex, signedBytesOf } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { type BlobStore, deltaKey } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import { deltaRow, putDelta } from './delta-rows.ts';

export interface SentDelta {
  /** Hex SHA-256 of the base, or `none`. */
  readonly from: string;
  readonly to: string;
  /** Of the delta's own bytes. */
  readonly sha256: string;
  readonly bytes: number;
  readonly source: AsyncIterable<Uint8Array>;
}

/** @throws {KerfError} INVALID_ARGUMENT, CONFLICT, DELTA_MALFORMED when it is for other files than its address says. */
export async function takeDelta(
  context: RegistryContext,
  blobs: BlobStore,
  { from, to, sha256, bytes, source }: SentDelta,
): Promise<void> {
  const known = await deltaRow(context.database, from, to);
  if (known?.state === 'ready') return;
  if (known !== null) throw new KerfError('CONFLICT', `this delta is ${known.state} here`);
  const key = deltaKey(from, to);
  await blobs.write(key, source, { bytes, sha256 });
  try {
    const delta = readerOf(blobs, key, bytes);
    const index = await readDeltaIndex(delta);
    const base = index.base[0]?.sha256 ?? 'none';
    const target = index.target[0];
    if (index.base.length > 1 || index.target.length !== 1 || base !== from || target?.sha256 !== to) {
      throw new KerfError('DELTA_MALFORMED', 'the delta is for other files than the address says');
    }
    const signed = await delta.read(0, signedBytesOf(await delta.read(0, HEADER_BYTES)));
    const indexSha256 = createHash('sha256').update(signed).digest('hex');
    await putDelta(context, { from, to, bytes, totalBytes: target.bytes, indexSha256 });
  } catch (error) {
    await blobs.remove(key);
    throw error;
  }
}

function readerOf(blobs: BlobStore, key: string, byteLength: number): ByteReader {
  return {
    byteLength,
    async read(offset, length) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of blobs.read(key, { start: offset, end: offset + length })) chunks.push(chunk);
      return new Uint8Array(Buffer.concat(chunks));
    },
  };
}
