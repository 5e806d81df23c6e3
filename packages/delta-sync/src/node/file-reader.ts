// A path -> a reader of the file's bytes; and the hash of all of it.
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import type { ByteReader } from '../byte-reader.ts';
import type { MakeHasher } from '../hash.ts';

/** Node's own SHA-256. */
export const nodeHasher: MakeHasher = () => {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
};

export interface FileReader extends ByteReader {
  close(): Promise<void>;
}

/** @throws {KerfError} FILE_NOT_FOUND. */
export async function openFileReader(file: string): Promise<FileReader> {
  let handle: FileHandle | undefined;
  try {
    // Before it is opened: a pipe would wait for somebody who writes into it.
    if (!(await stat(file)).isFile()) throw new KerfError('FILE_NOT_FOUND', `'${file}' is not a file`);
    handle = await open(file, 'r');
    return readerOf(handle, file, (await handle.stat()).size);
  } catch (cause) {
    await handle?.close();
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `'${file}' is not there or cannot be read`);
  }
}

function readerOf(handle: FileHandle, file: string, byteLength: number): FileReader {
  return {
    byteLength,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
        if (bytesRead === 0) throw new KerfError('FILE_NOT_FOUND', `'${file}' was cut short while it was read`);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}
