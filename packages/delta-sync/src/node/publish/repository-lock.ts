// A repository's folder -> the right to change it, for one publisher at a time.
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';

/**
 * Holds `.lock` while `work` runs. The lock of a process of this computer that is gone is taken over.
 * @throws {KerfError} RELEASE_CONFLICT when another publisher holds it, FILE_NOT_FOUND where there is no such folder.
 */
export async function withRepositoryLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, '.lock');
  const owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  if (!(await tryCreate(file, owner)) && !((await isAbandoned(file)) && (await tryCreate(file, owner)))) {
    throw await heldError(file);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

export function noRepository(folder: string): KerfError {
  return new KerfError(
    'FILE_NOT_FOUND',
    `'${folder}' holds no repository: make one with kerf keys init --repo ${folder}`,
  );
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

async function tryCreate(file: string, owner: Owner): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'wx');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT') throw noRepository(path.dirname(file));
    throw writeError(cause, 'the folder of the repository');
  }
  try {
    await handle.writeFile(JSON.stringify(owner));
    return true;
  } catch (cause) {
    // A full disk makes the name and takes no byte: a lock that says nobody would stay for ever.
    await rm(file, { force: true });
    throw writeError(cause, 'the folder of the repository');
  } finally {
    await handle.close();
  }
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return null;
  }
}

/** Moves the lock of a dead process aside: of two that try, one succeeds. */
async function isAbandoned(file: string): Promise<boolean> {
  const owner = await readOwner(file);
  if (owner === null || owner.host !== hostname() || isAlive(owner.pid)) return false;
  const aside = `${file}.${owner.pid}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch {
    return false;
  }
  await rm(aside, { force: true });
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function heldError(file: string): Promise<KerfError> {
  const owner = await readOwner(file);
  const who = owner === null ? 'somebody' : `process ${owner.pid} on ${owner.host}, since ${owner.since}`;
  return new KerfError(
    'RELEASE_CONFLICT',
    `another publisher is changing this repository (${who}): try again when it is done; if it is gone, remove '.lock' there`,
  );
}
