// Folders -> the seams of trust: a repository as the source of metadata, and a folder that keeps what was trusted.
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import type { MetadataSource, MetadataStore } from '../../trust/update-trust.ts';
import { createFile } from '../atomic-file.ts';

/** @param folder of the repository; a USB stick is one too */
export function folderSource(folder: string): MetadataSource {
  return {
    async fetchFile(file, maxBytes) {
      const bytes = await readUpTo(path.join(folder, file), maxBytes);
      if (bytes !== null && bytes.byteLength > maxBytes) {
        throw new KerfError('CONTENT_MISMATCH', `'${file}' has more than ${maxBytes} bytes, and is not read`);
      }
      return bytes;
    },
  };
}

export function folderStore(folder: string): MetadataStore {
  return {
    async read(name) {
      return await readFile(path.join(folder, name)).then(
        (bytes) => new Uint8Array(bytes),
        (cause: NodeJS.ErrnoException) => {
          if (cause.code === 'ENOENT') return null;
          throw KerfError.from(cause, 'FILE_NOT_FOUND', `'${name}' of the trusted metadata cannot be read`);
        },
      );
    },
    async write(name, bytes) {
      await makeFolders(folder, 0o700);
      await createFile(path.join(folder, name), bytes);
    },
  };
}

/** One byte more than `maxBytes` at most, whatever the file grows to. Null when it is not there. */
async function readUpTo(file: string, maxBytes: number): Promise<Uint8Array | null> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw KerfError.from(cause, 'MIRROR_UNAVAILABLE', `'${path.basename(file)}' cannot be read`);
  });
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.min(size, maxBytes + 1));
    let at = 0;
    while (at < bytes.byteLength) {
      const { bytesRead } = await handle.read(bytes, at, bytes.byteLength - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await handle.close();
  }
}
