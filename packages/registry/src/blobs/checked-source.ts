// Bytes that somebody sends -> the same bytes, refused as soon as they are more than, or at the end other than, was claimed.
import { createHash } from 'node:crypto';
import { KerfError } from '@kerf/protocol';
import type { BlobClaim } from './blob-store.ts';

/**
 * The last piece is held back until the hash of all is right: a store that trusts what it gets never has the whole of wrong bytes.
 * @throws {KerfError} INVALID_ARGUMENT while it is iterated.
 */
export async function* checkedSource(
  source: AsyncIterable<Uint8Array>,
  { bytes, sha256 }: BlobClaim,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let seen = 0;
  let held: Uint8Array | null = null;
  for await (const chunk of source) {
    seen += chunk.byteLength;
    if (seen > bytes) throw new KerfError('INVALID_ARGUMENT', `the blob has more than the ${bytes} bytes announced`);
    hash.update(chunk);
    if (held !== null) yield held;
    held = chunk;
  }
  if (seen !== bytes) throw new KerfError('INVALID_ARGUMENT', `the blob has ${seen} bytes, ${bytes} were announced`);
  const got = hash.digest('hex');
  if (got !== sha256) {
    throw new KerfError('INVALID_ARGUMENT', `the bytes have the SHA-256 ${got}, not ${sha256}: send them again`);
  }
  if (held !== null) yield held;
}
