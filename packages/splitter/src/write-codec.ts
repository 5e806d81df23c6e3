// A split in a folder and a codec with its level tables -> the same split, sending what crosses in that codec.
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KerfError, parseSplitManifest, type SplitCodec, type SplitManifest, tableFilesOf } from '@kerf/protocol';
import { writeManifest } from './manifest-folder.ts';
import { sha256Hex } from './sha256.ts';
import { MANIFEST_FILE, readManifestFile } from './write-split.ts';

/**
 * Head and tail stay as they are, and so does the pair. Tables are written first and split.json is replaced in one step,
 * so that the folder holds a whole split all the time; tables that it does not name any more are removed at the end.
 * @param tables bytes of every level table that the codec names, by file name
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID for a folder without a split or a codec that does not fit it,
 * INVALID_ARGUMENT for a table that is missing or not the one that the codec names.
 */
export async function writeSplitCodec(
  folder: string,
  codec: SplitCodec,
  tables: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<SplitManifest> {
  const before = await readManifestFile(folder);
  const manifest = parseSplitManifest(structuredClone({ ...before, codec }));
  const wanted = tableFilesOf(codec);
  for (const { file, sha256, bytes } of wanted) {
    const table = tables.get(file);
    if (table?.byteLength === bytes && (await sha256Hex(table)) === sha256) continue;
    throw new KerfError('INVALID_ARGUMENT', `level table ${file} is missing or not the one that the codec names`);
  }
  for (const { file } of wanted) await replaceFile(path.join(folder, file), tables.get(file) as Uint8Array);
  await writeManifest(folder, MANIFEST_FILE, manifest);
  const kept = new Set(wanted.map(({ file }) => file));
  for (const { file } of tableFilesOf(before.codec)) {
    if (!kept.has(file)) await rm(path.join(folder, file), { force: true });
  }
  return manifest;
}

async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new KerfError('FILE_NOT_FOUND', `'${file}' cannot be written`, { cause });
  }
}
