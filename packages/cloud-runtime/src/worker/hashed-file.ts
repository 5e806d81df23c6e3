// A file and what it must hash to -> whether it is that file.
import { hashFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import type { HashedFile } from './jobs.ts';

/** @throws {KerfError} MANIFEST_INVALID when it is not, or cannot be read. */
export async function checkHash({ path, sha256, bytes }: HashedFile): Promise<void> {
  const found = await hashFile(path).catch((cause: unknown) => {
    throw new KerfError('MANIFEST_INVALID', 'a file that the manifest names cannot be read; split the model again', {
      cause,
    });
  });
  if (found.bytes !== bytes || found.sha256 !== sha256) {
    throw new KerfError(
      'MANIFEST_INVALID',
      'a file is not the one that the manifest names: it was changed afterwards; split the model again',
    );
  }
}
