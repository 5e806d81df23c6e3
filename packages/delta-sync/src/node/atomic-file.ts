// Bytes -> a file that is whole or not there, whenever the power fails.
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';

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
