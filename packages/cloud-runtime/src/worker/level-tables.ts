// Files of level tables -> tables by id, ready to decode with.
import { readFile } from 'node:fs/promises';
import { type LevelTable, readLevelTable, warmUpLevels } from '@kerf/protocol';
import { checkHash } from './hashed-file.ts';
import type { HashedFile } from './jobs.ts';

/** @throws {KerfError} MANIFEST_INVALID when a table is not the one that the manifest names, or cannot be read. */
export async function readTables(files: readonly HashedFile[]): Promise<Map<string, LevelTable>> {
  for (const file of files) await checkHash(file);
  const tables = new Map<string, LevelTable>();
  for (const { path, sha256 } of files) tables.set(sha256, readLevelTable(await readFile(path), sha256));
  await warmUpLevels(tables.values());
  return tables;
}
