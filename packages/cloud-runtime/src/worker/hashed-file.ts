// A file and what it must hash to -> whether it is that file.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { KerfError } from '@kerf/protocol';
import type { HashedFile } from './jobs.ts';

/** @throws {KerfError} MANIFEST_INVALID when it is not, or cannot be read. */
export async function checkHash({ path, sha256, bytes }: HashedFile): Promise<void> {
  const hash = createHash('sha256');
  let count = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      count += chunk.byteLength;
    }
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', 'a file that the manifest names cannot be read; split the model again', {
      cause,
    });
  }
  if (count !== bytes || hash.digest('hex') !== sha256) {
    throw new KerfError(
      'MANIFEST_INVALID',
      'a file is not the one that the manifest names: it was changed afterwards; split the model again',
    );
  }
}
