// A split or a chain in a folder and codecs with their level tables -> the same one, sending what crosses in these.
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type ChainManifest,
  chainTableFiles,
  KerfError,
  type ManifestFile,
  parseChainManifest,
  parseSplitManifest,
  type SplitCodec,
  type SplitManifest,
  tableFilesOf,
} from '@kerf/protocol';
import { readChainManifest } from './chain/open-chain.ts';
import { CHAIN_FILE } from './chain/write-chain.ts';
import { writeManifest } from './manifest-folder.ts';
import { sha256Hex } from './sha256.ts';
import { MANIFEST_FILE, readManifestFile } from './write-split.ts';

/** Bytes of level tables, by file name. */
export type TableBytes = ReadonlyMap<string, Uint8Array>;

/**
 * Head and tail stay as they are, and so does the pair. Tables are written first and split.json is replaced in one step,
 * so that the folder holds a whole split all the time; tables that it does not name any more are removed at the end.
 * @param tables every level table that the codec names
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID for a folder without a split or a codec that does not fit it,
 * INVALID_ARGUMENT for a table that is missing or not the one that the codec names.
 */
export async function writeSplitCodec(
  folder: string,
  codec: SplitCodec,
  tables: TableBytes = new Map(),
): Promise<SplitManifest> {
  const before = await readManifestFile(folder);
  const manifest = parseSplitManifest(structuredClone({ ...before, codec }));
  const [old, wanted] = [tableFilesOf(before.codec), tableFilesOf(codec)];
  await replaceTables(folder, { old, wanted, fresh: wanted, tables }, () =>
    writeManifest(folder, MANIFEST_FILE, manifest),
  );
  return manifest;
}

/**
 * Segments and pairs stay as they are, and so do codecs of cuts that are not named. As safe as {@link writeSplitCodec}.
 * @param codecs by the number of segments before the cut. @param tables every level table that they name
 * @throws {KerfError} as {@link writeSplitCodec}, and INVALID_ARGUMENT for a cut that the chain does not have.
 */
export async function writeChainCodecs(
  folder: string,
  codecs: ReadonlyMap<number, SplitCodec>,
  tables: TableBytes = new Map(),
): Promise<ChainManifest> {
  const before = await readChainManifest(folder);
  const stray = [...codecs.keys()].find((at) => before.cuts[at - 1] === undefined);
  if (stray !== undefined) throw new KerfError('INVALID_ARGUMENT', `the chain has no cut behind ${stray} segments`);
  const cuts = before.cuts.map((cut, at) => ({ ...cut, codec: codecs.get(at + 1) ?? cut.codec }));
  const manifest = parseChainManifest(structuredClone({ ...before, cuts }));
  const [old, wanted] = [chainTableFiles(before), chainTableFiles(manifest)];
  const fresh = [...codecs.values()].flatMap(tableFilesOf);
  await replaceTables(folder, { old, wanted, fresh, tables }, () => writeManifest(folder, CHAIN_FILE, manifest));
  return manifest;
}

interface Replacement {
  /** What the folder's manifest names so far, and what the next one will. */
  readonly old: readonly ManifestFile[];
  readonly wanted: readonly ManifestFile[];
  /** Those of `wanted` to write. */
  readonly fresh: readonly ManifestFile[];
  readonly tables: TableBytes;
}

async function replaceTables(
  folder: string,
  { old, wanted, fresh, tables }: Replacement,
  write: () => Promise<void>,
): Promise<void> {
  for (const { file, sha256, bytes } of fresh) {
    const table = tables.get(file);
    if (table?.byteLength === bytes && (await sha256Hex(table)) === sha256) continue;
    throw new KerfError('INVALID_ARGUMENT', `level table ${file} is missing or not the one that the codec names`);
  }
  for (const { file } of fresh) await replaceFile(path.join(folder, file), tables.get(file) as Uint8Array);
  await write();
  const kept = new Set(wanted.map(({ file }) => file));
  for (const { file } of old) if (!kept.has(file)) await rm(path.join(folder, file), { force: true });
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
