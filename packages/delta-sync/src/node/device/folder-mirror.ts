// A folder or a USB stick with a repository -> a mirror.
import { open } from 'node:fs/promises';
import path from 'node:path';
import { KerfError, messageOf } from '@kerf/protocol';
import { type Mirror, unavailable } from '../../device/mirror.ts';

const PIECE_BYTES = 256 * 1024;

/** The folder is the repository's root. Paths are kerf's own, never a stranger's. */
export function folderMirror(folder: string): Mirror {
  return {
    name: folder,
    async open(file, offset, length) {
      const handle = await open(path.join(folder, file), 'r').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
        throw unavailable(folder, messageOf(cause), cause);
      });
      return handle === null ? null : pieces(handle, folder, offset, length);
    },
  };
}

async function* pieces(
  handle: Awaited<ReturnType<typeof open>>,
  folder: string,
  offset: number,
  length: number | null,
): AsyncGenerator<Uint8Array> {
  try {
    let left = length ?? Number.POSITIVE_INFINITY;
    for (let at = offset; left > 0; ) {
      const bytes = new Uint8Array(Math.min(PIECE_BYTES, left));
      const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, at);
      if (bytesRead === 0) return;
      yield bytes.subarray(0, bytesRead);
      at += bytesRead;
      left -= bytesRead;
    }
  } catch (cause) {
    // A stick that was pulled out.
    throw KerfError.from(cause, 'MIRROR_UNAVAILABLE', `${folder}: ${messageOf(cause)}`);
  } finally {
    await handle.close();
  }
}
