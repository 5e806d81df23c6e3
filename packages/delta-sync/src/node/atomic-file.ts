// Bytes -> a file that is whole or not there, whenever the power fails.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeError } from '@kerf/protocol/node';

/** Writes all of `bytes` at `offset`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.byteLength - at, offset + at);
    at += bytesWritten;
  }
}

/** Renames a file that has been flushed, and flushes the folder, so that the new name survives too. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  // Windows has no such thing as opening a folder; its rename is journalled.
  if (process.platform === 'win32') return;
  const folder = await open(path.dirname(to), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A whole file: written beside its place, flushed, renamed, the folder flushed. What was there is replaced. */
export async function createFile(file: string, bytes: Uint8Array, mode = 0o666): Promise<void> {
  await createFileOf(file, [bytes], mode);
}

/** {@link createFile} from pieces. */
export async function createFileOf(
  file: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mode = 0o666,
): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${randomUUID()}.part`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      let at = 0;
      for await (const piece of pieces) {
        await writeAt(handle, piece, at);
        at += piece.byteLength;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renameDurably(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(cause, `'${file}'`);
  }
}
