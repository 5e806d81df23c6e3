// Files of a result -> a folder, by way of a folder of their own inside it, so that what is broken off is known as such.
import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { writeError } from '@kerf/protocol/node';
import { makeFolder } from './manifest-folder.ts';

export interface Staging<T> {
  readonly folder: string;
  /** What the folder inside is called, up to a random end. As long as one is there, the result may be half in its place. */
  readonly prefix: string;
  readonly write: (staging: string) => Promise<T>;
  readonly putInPlace: (result: T, staging: string) => Promise<void>;
  readonly check?: Check | undefined;
}

/** Called between two steps: what it throws ends the work, with nothing of it left. */
export type Check = () => Promise<void>;

/** Lets `write` fill a folder inside, then puts its files in place; on failure nothing is left of it. @throws {KerfError} FILE_NOT_FOUND. */
export async function staged<T>({ folder, prefix, write, putInPlace, check }: Staging<T>): Promise<T> {
  const isNew = await makeFolder(folder);
  let staging: string | null = null;
  try {
    staging = await makeStaging(folder, prefix);
    const result = await write(staging);
    await check?.();
    await putInPlace(result, staging);
    // Last: without it, files in their place without a manifest look like somebody's own.
    await rm(staging, { recursive: true, force: true });
    return result;
  } catch (error) {
    if (staging !== null) await rm(staging, { recursive: true, force: true });
    if (isNew) await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

async function makeStaging(folder: string, prefix: string): Promise<string> {
  try {
    const staging = await mkdtemp(path.join(folder, prefix));
    // A run that crashed in the runtime, or was ended, could not clear its own away.
    const stale = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name !== path.basename(staging));
    for (const name of stale) await rm(path.join(folder, name), { recursive: true, force: true });
    return staging;
  } catch (cause) {
    throw writeError(cause, `the folder '${folder}'`);
  }
}
