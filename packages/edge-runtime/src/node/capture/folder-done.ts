// A picture whose result is safe -> its file moved, removed or written down as done, so that no restart judges it again.
import { type BigIntStats, createReadStream } from 'node:fs';
import { appendFile, copyFile, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeFolders } from '@kerf/protocol/node';
import type { FolderFile } from './folder-files.ts';
import { hashText } from './hash-text.ts';

export interface FolderDone {
  /** Reads what was done before. */
  open(): Promise<void>;
  /** Names a file so that the same part has the same key after a crash, and a file put there again another one. */
  keyOf(name: string, stats: BigIntStats): string;
  isDone(key: string): boolean;
  finish(file: FolderFile, failed: boolean): Promise<void>;
}

/** Moves files to one of two folders. */
export function moveWhenDone(doneFolder: string, failedFolder: string): FolderDone {
  return {
    open: async () => {
      await makeFolders(doneFolder);
      await makeFolders(failedFolder);
    },
    keyOf: placeKey,
    isDone: () => false,
    finish: ({ name, path }, failed) => moveInto(path, failed ? failedFolder : doneFolder, name),
  };
}

export function removeWhenDone(): FolderDone {
  return {
    open: async () => undefined,
    keyOf: placeKey,
    isDone: () => false,
    finish: ({ path }) => rm(path, { force: true }),
  };
}

/** Leaves files where they are and writes their keys to a file, one a line. */
export function rememberWhenDone(folder: string, statePath: string): FolderDone {
  const done = new Set<string>();
  return {
    open: async () => {
      await makeFolders(dirname(statePath));
      for (const key of await readState(statePath)) done.add(key);
      await rewriteState(statePath, [...done]);
    },
    // Without the change time: a backup that touches it must not have every part judged again.
    keyOf: (name, stats) => hashText(`${folder}\n${name}\n${stats.size}\n${stats.mtimeNs}`),
    isDone: (key) => done.has(key),
    finish: async ({ key }) => {
      done.add(key);
      const file = await open(statePath, 'a');
      try {
        await file.appendFile(`${key}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
    },
  };
}

/** A file that is moved away and back has another change time, and is judged again. */
function placeKey(name: string, stats: BigIntStats): string {
  return hashText(`${name}\n${stats.dev}\n${stats.ino}\n${stats.size}\n${stats.mtimeNs}\n${stats.ctimeNs}`);
}

/** Older ones are forgotten at the next start: 33 bytes each on disk. */
const MAX_REMEMBERED = 500_000;
const KEY = /^[0-9a-f]{32}$/;

/** Whole lines that are keys; a last line that a crash cut off is none. */
async function readState(path: string): Promise<string[]> {
  const keys: string[] = [];
  if (!(await exists(path))) return keys;
  for await (const line of createInterface({ input: createReadStream(path) })) if (KEY.test(line)) keys.push(line);
  return keys.slice(-MAX_REMEMBERED);
}

/** Through a second file, so that a crash leaves the old or the new one. */
async function rewriteState(path: string, keys: readonly string[]): Promise<void> {
  const next = `${path}.new`;
  await rm(next, { force: true });
  await appendFile(next, keys.map((key) => `${key}\n`).join(''), { flush: true });
  await rename(next, path);
}

/**
 * Never overwrites: a second file of the name gets a number. A rename is one step, so that a crash leaves the file in one
 * of the two places; across file systems it is a copy, made whole before it has its name.
 */
async function moveInto(from: string | Buffer, folder: string, name: string): Promise<void> {
  await makeFolders(folder);
  const to = await freeName(folder, name);
  try {
    await rename(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EXDEV') return copyInto(from, to);
    // Somebody took it away, which is what we wanted.
    if (code !== 'ENOENT' || (await exists(from))) throw error;
  }
}

async function freeName(folder: string, name: string): Promise<string> {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let count = 0; ; count++) {
    const to = join(folder, count === 0 ? name : `${stem}-${count}${extension}`);
    if (!(await exists(to))) return to;
  }
}

async function exists(path: string | Buffer): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

async function copyInto(from: string | Buffer, to: string): Promise<void> {
  const part = join(dirname(to), `.${Date.now()}-${process.pid}.part`);
  try {
    await copyFile(from, part);
    const file = await open(part, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, to);
    await unlink(from);
  } finally {
    await rm(part, { force: true });
  }
}
