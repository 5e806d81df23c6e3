// Metadata that is signed -> files of a repository's folder, in an order that leaves the old or the new, wherever it breaks off.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { REPOSITORY_PATHS } from '../../release/repository-layout.ts';
import { createFile, renameDurably } from '../atomic-file.ts';
import { makeFoldersTo } from '../make-folders.ts';

export const TIMESTAMP = REPOSITORY_PATHS.metadata('timestamp', 1);

/**
 * Everything new first, `timestamp.json` last: until then nothing counts. A new root counts by itself, so the timestamp lies
 * ready beside it before it gets its name; who opens the repository after a crash between both finishes the change.
 */
export async function writeMetadata(
  folder: string,
  rootVersion: number | null,
  files: readonly (readonly [path: string, bytes: Uint8Array])[],
): Promise<void> {
  const rootPath = rootVersion === null ? null : REPOSITORY_PATHS.metadata('root', rootVersion);
  for (const [file, bytes] of files) {
    if (file === TIMESTAMP && rootVersion !== null) await writeInto(folder, pendingPath(rootVersion), bytes);
    else if (file !== TIMESTAMP && file !== rootPath) await writeInto(folder, file, bytes);
  }
  for (const [file, bytes] of files) if (file === rootPath) await writeInto(folder, file, bytes);
  for (const [file, bytes] of files) if (file === TIMESTAMP) await writeInto(folder, file, bytes);
  if (rootVersion !== null) await rm(path.join(folder, pendingPath(rootVersion)), { force: true });
}

function pendingPath(rootVersion: number): string {
  return `metadata/.timestamp-of-root-${rootVersion}.json`;
}

/** Of a change that broke off between a new root and its timestamp. */
export async function finishBrokenChange(folder: string): Promise<void> {
  const names: string[] = await readdir(path.join(folder, 'metadata')).catch(() => []);
  for (const name of names) {
    const version = Number(/^\.timestamp-of-root-(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(version)) continue;
    const pending = path.join(folder, 'metadata', name);
    if (names.includes(`${version}.root.json`)) await renameDurably(pending, path.join(folder, TIMESTAMP));
    else await rm(pending);
  }
}

/** Makes the folders on the way. */
export async function writeInto(folder: string, file: string, bytes: Uint8Array): Promise<void> {
  const full = path.join(folder, file);
  await makeFoldersTo(folder, full);
  await createFile(full, bytes);
}
