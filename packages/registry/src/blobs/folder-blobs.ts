// A folder -> a blob store: written beside, flushed, renamed, and the folder flushed.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { type BlobStore, isBlobKey } from './blob-store.ts';
import { checkedSource } from './checked-source.ts';

/** What a write that was broken off leaves; removed at the next start. */
const UNFINISHED = 'unfinished';

/** @throws {KerfError} STORE_FAILED when the folder cannot be made. */
export async function openFolderBlobs(folder: string): Promise<BlobStore> {
  const unfinished = path.join(folder, UNFINISHED);
  await guarded(async () => {
    await makeFolders(unfinished);
    for (const name of await readdir(unfinished)) await rm(path.join(unfinished, name), { force: true });
  });
  const fileOf = (key: string): string => {
    if (!isBlobKey(key) || key.startsWith(UNFINISHED))
      throw new KerfError('INVALID_ARGUMENT', 'this is no key of a blob');
    return path.join(folder, ...key.split('/'));
  };
  return {
    stat: (key) => statFile(fileOf(key)),
    read: (key, span) => readFile(fileOf(key), span.start, span.end),
    async write(key, source, expected) {
      const file = fileOf(key);
      if ((await statFile(file)) !== null) return;
      const temporary = path.join(unfinished, randomUUID());
      await guarded(async () => {
        try {
          await writeFlushed(temporary, checkedSource(source, expected));
          await putInPlace(temporary, file, folder);
        } catch (cause) {
          await rm(temporary, { force: true });
          throw cause;
        }
      });
    },
    remove: (key) => guarded(() => rm(fileOf(key), { force: true })),
  };
}

function statFile(file: string): Promise<{ bytes: number } | null> {
  return guarded(async () => {
    try {
      const stats = await stat(file);
      return stats.isFile() ? { bytes: stats.size } : null;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw cause;
    }
  });
}

async function* readFile(file: string, start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
  if (end <= start) return;
  try {
    for await (const chunk of createReadStream(file, { start, end: end - 1, highWaterMark: 256 * 1024 })) {
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw new KerfError('NOT_FOUND', 'there is no such blob');
    throw failed(cause);
  }
}

async function writeFlushed(file: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of source) await writeAll(handle, chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await handle.write(chunk, at)).bytesWritten;
}

async function putInPlace(temporary: string, file: string, root: string): Promise<void> {
  const folder = path.dirname(file);
  await makeFolders(folder);
  await rename(temporary, file);
  // The name, and those of folders that were made for it.
  for (let at = folder; at.length >= root.length; at = path.dirname(at)) await flushFolder(at);
}

async function flushFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its renames are journalled.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw failed(cause);
  }
}

function failed(cause: unknown): KerfError {
  const { code } = cause as NodeJS.ErrnoException;
  return KerfError.from(cause, 'STORE_FAILED', `the folder of blobs failed${code === undefined ? '' : ` (${code})`}`);
}
