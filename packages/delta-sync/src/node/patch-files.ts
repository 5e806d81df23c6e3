// An installed version and a delta file -> the new version, resumed where an earlier attempt was broken off.
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders, writeError } from '@kerf/protocol/node';
import { checkBase, makeTarget, outputPlaces, readDeltaIndex } from '../apply/apply-delta.ts';
import { damaged } from '../damaged.ts';
import type { DeltaFile, DeltaIndex, DeltaSegment } from '../format/patch-index.ts';
import { sha256OfReader } from '../hash.ts';
import { renameDurably, writeAt } from './atomic-file.ts';
import { type FileReader, nodeHasher, openFileReader } from './file-reader.ts';
import { outputPlace } from './output-place.ts';
import { isBsdiff, type PatchedFile, patchBsdiff } from './patch-bsdiff.ts';

export interface PatchOptions {
  /** The installed version: a file, with the other files of the delta's base beside it, or a folder with all of them. */
  readonly oldPath: string;
  readonly deltaPath: string;
  /** File to write; a folder when the delta makes several files and this has no extension of a file that is there. */
  readonly out: string;
  /** Replaces files that are there and are not the result already. @default false */
  readonly force?: boolean;
  /** Called as bytes of the new version are written. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface PatchReport {
  readonly files: readonly PatchedFile[];
  /** Whether old and new have the hashes that the patch names. One of bsdiff names none. */
  readonly isVerified: boolean;
  /** Bytes that an earlier attempt had left and that were right. */
  readonly resumedBytes: number;
  readonly writtenBytes: number;
}

/**
 * Applies a delta file; or a patch of bsdiff (BSDIFF40), which says nothing of what it belongs to. The old version is checked before anything is written; each file is written beside its place, and
 * renamed when all files have their hashes, the first one last. What a broken attempt left is checked segment by segment
 * and used.
 * @throws {KerfError} DELTA_MALFORMED, DELTA_BASE_MISMATCH, DELTA_TOO_LARGE, VERSION_UNSUPPORTED, FILE_NOT_FOUND,
 *   FILE_EXISTS.
 */
export async function patchFiles(options: PatchOptions): Promise<PatchReport> {
  const readers: FileReader[] = [];
  const opened = async (file: string): Promise<FileReader> => {
    const reader = await openFileReader(file);
    readers.push(reader);
    return reader;
  };
  try {
    const delta = await opened(options.deltaPath);
    if (await isBsdiff(delta)) {
      const { oldPath, out, force = false } = options;
      const file = await patchBsdiff(await opened(oldPath), delta, { oldPath, out, force });
      return { files: [file], isVerified: false, resumedBytes: 0, writtenBytes: file.bytes };
    }
    const index = await readDeltaIndex(delta);
    const targets = await Promise.all((await targetPaths(options.out, index)).map(outputPlace));
    await checkTargets(targets, index, options.force ?? false);
    const basePaths = await pathsOfBase(options.oldPath, index.base);
    const base: FileReader[] = [];
    for (const file of basePaths) base.push(await opened(file));
    await checkBase(index, base, nodeHasher);
    return await install(index, delta, base, targets, options);
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

/** One file goes to `out` itself; several go into it, or beside it when its name is that of the first. */
async function targetPaths(out: string, { target }: DeltaIndex): Promise<string[]> {
  const isFolder = await stat(out).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const [first] = target as [DeltaFile];
  if (target.length === 1) return [isFolder ? path.join(out, first.name) : out];
  if (!isFolder && path.extname(out) === path.extname(first.name) && path.extname(out) !== '') {
    return [out, ...target.slice(1).map(({ name }) => path.join(path.dirname(out), name))];
  }
  return target.map(({ name }) => path.join(out, name));
}

/** @throws {KerfError} FILE_EXISTS for a file that is there and is not the result. */
async function checkTargets(targets: readonly string[], index: DeltaIndex, force: boolean): Promise<void> {
  if (new Set(targets.map((file) => path.resolve(file))).size < targets.length) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      'two files of the delta would have the same path: name a folder with --out',
    );
  }
  if (force) return;
  for (const [at, file] of targets.entries()) {
    const stats = await stat(file).catch(() => null);
    if (stats === null) continue;
    const wanted = index.target[at] as DeltaFile;
    if (stats.isFile() && stats.size === wanted.bytes && (await hashOf(file)) === wanted.sha256) continue;
    throw new KerfError('FILE_EXISTS', `'${file}' is already there: name another place, or use --force`);
  }
}

async function hashOf(file: string): Promise<string> {
  const reader = await openFileReader(file);
  try {
    return await sha256OfReader(reader, nodeHasher);
  } finally {
    await reader.close();
  }
}

async function pathsOfBase(oldPath: string, base: readonly DeltaFile[]): Promise<string[]> {
  const stats = await stat(oldPath).catch((cause: unknown) => {
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `'${oldPath}' is not there or cannot be read`);
  });
  if (stats.isDirectory()) return base.map(({ name }) => path.join(oldPath, name));
  return base.map(({ name }, at) => (at === 0 ? oldPath : path.join(path.dirname(oldPath), name)));
}

/** Beside the target, with the hash of what it will be: another delta's remains are never taken for this one's. */
function partPath(target: string, { sha256 }: DeltaFile): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.${sha256.slice(0, 16)}.part`);
}

async function install(
  index: DeltaIndex,
  delta: FileReader,
  base: readonly FileReader[],
  targets: readonly string[],
  { onProgress }: PatchOptions,
): Promise<PatchReport> {
  const parts = targets.map((target, at) => partPath(target, index.target[at] as DeltaFile));
  const handles: FileHandle[] = [];
  // Several files go into a folder that need not be there; one file goes where its user said.
  if (targets.length > 1) await makeFolder(path.dirname(targets[0] as string));
  let resumedBytes = 0;
  let writtenBytes = 0;
  try {
    for (const part of parts) handles.push(await openPart(part));
    const done = await segmentsDone(index, handles);
    for (const segment of done) resumedBytes += (index.segments[segment] as DeltaSegment).bytes;
    const total = index.target.reduce((sum, { bytes }) => sum + bytes, 0);
    for await (const made of makeTarget({ index, delta, base, isDone: (segment) => done.has(segment) })) {
      await writeAt(handles[made.file] as FileHandle, made.bytes, made.offset);
      writtenBytes += made.bytes.byteLength;
      onProgress?.(resumedBytes + writtenBytes, total);
    }
    for (const [at, handle] of handles.entries()) {
      await handle.truncate((index.target[at] as DeltaFile).bytes);
      await handle.sync();
    }
  } catch (cause) {
    // What is written stays for the next attempt, unless nothing is.
    if (writtenBytes + resumedBytes === 0) await Promise.all(parts.map((part) => rm(part, { force: true })));
    throw writeError(cause, `'${targets[0]}'`);
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
  await checkParts(index, parts);
  // The first file names the others: it goes last.
  for (const [at, part] of [...parts.entries()].reverse()) await renameDurably(part, targets[at] as string);
  const files = index.target.map(({ bytes, sha256 }, at) => ({ path: targets[at] as string, bytes, sha256 }));
  return { files, isVerified: true, resumedBytes, writtenBytes };
}

async function makeFolder(folder: string): Promise<void> {
  await makeFolders(folder).catch((cause: unknown) => {
    throw writeError(cause, `the folder '${folder}'`);
  });
}

async function openPart(part: string): Promise<FileHandle> {
  return await open(part, 'r+').catch(async () => await open(part, 'wx+'));
}

/** Output segments that an earlier attempt wrote, and wrote right. */
async function segmentsDone(index: DeltaIndex, handles: readonly FileHandle[]): Promise<Set<number>> {
  const done = new Set<number>();
  const sizes = await Promise.all(handles.map(async (handle) => (await handle.stat()).size));
  for (const { file, offset, segment } of outputPlaces(index)) {
    const { bytes, sha256 } = index.segments[segment] as DeltaSegment;
    if (offset + bytes > (sizes[file] as number)) continue;
    const found = new Uint8Array(bytes);
    const { bytesRead } = await (handles[file] as FileHandle).read(found, 0, bytes, offset);
    if (bytesRead === bytes && createHash('sha256').update(found).digest('hex') === sha256) done.add(segment);
  }
  return done;
}

/** @throws {KerfError} DELTA_MALFORMED. */
async function checkParts(index: DeltaIndex, parts: readonly string[]): Promise<void> {
  for (const [at, part] of parts.entries()) {
    const wanted = index.target[at] as DeltaFile;
    if ((await hashOf(part)) === wanted.sha256) continue;
    await Promise.all(parts.map((file) => rm(file, { force: true })));
    throw damaged(`it does not make '${wanted.name}' with the hash that it says`);
  }
}
