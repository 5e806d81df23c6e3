// A folder -> the samples that lie directly in it, and the folders that may hold more.
import { type Dirent, existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { PICTURE_FILE } from '../frame-input.ts';

const TENSOR_FILE = /\.(npy|pb)$/i;

export interface FolderContents {
  /** Names of files and folders that are one sample each, in order. */
  readonly samples: readonly string[];
  /** Names of the other folders, in order. */
  readonly folders: readonly string[];
}

/**
 * Hidden files and files of other kinds are passed over.
 * @param inputNames a folder with a tensor file for the first of them is one sample
 * @throws {KerfError} FILE_NOT_FOUND.
 */
export async function listFolder(folder: string, inputNames: readonly string[]): Promise<FolderContents> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the folder of samples ${folder} is not there or cannot be read`, { cause });
  }
  const samples: string[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    if (await isFolder(folder, entry))
      (isSample(join(folder, entry.name), inputNames) ? samples : folders).push(entry.name);
    else if (isSampleFile(entry.name)) samples.push(entry.name);
  }
  return { samples: samples.sort(byName), folders: folders.sort(byName) };
}

export function isSampleFile(name: string): boolean {
  return PICTURE_FILE.test(name) || TENSOR_FILE.test(name);
}

async function isFolder(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(folder, entry.name)).catch(() => null);
  return target?.isDirectory() ?? false;
}

function isSample(folder: string, [first = '']: readonly string[]): boolean {
  return ['input_0', first].some((name) =>
    ['pb', 'npy'].some((ending) => existsSync(join(folder, `${name}.${ending}`))),
  );
}

/** By code units, the same on every machine. */
function byName(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
