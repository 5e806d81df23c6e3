// A folder that holds what a manifest describes: whether it may be written, and reading and writing the manifest.
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rewriteModel } from '@kerf/onnx';
import type { ModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError, type ModelSource } from '@kerf/protocol';
import { makeFolders, writeError } from '@kerf/protocol/node';
import { fileHost } from './file-host.ts';
import { TRANSIENT_DATA_FILE } from './model-host.ts';

/** One kind of folder. */
export interface ManifestKind<T> {
  /** File name of the manifest. */
  readonly file: string;
  /** Such as `split`. */
  readonly what: string;
  /** What to do about a broken one. */
  readonly remedy: string;
  /** What a run that crashed may have left behind begins like this; null when it leaves nothing. */
  readonly leftover: string | null;
  parse(json: unknown): T;
}

/**
 * An empty or missing folder may be written, one with a former result or one that was broken off as well, any with `force`.
 * @throws {KerfError} FILE_EXISTS, MANIFEST_INVALID when what looks like a former result is none.
 */
export async function checkTarget<T>(folder: string, kind: ManifestKind<T>, force: boolean): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new KerfError('FILE_EXISTS', `'${folder}' is not a folder that can be written to`, { cause });
  }
  const { leftover } = kind;
  // A run that was broken off may have put some of its files in place.
  if (leftover !== null && entries.some((name) => name.startsWith(leftover))) return;
  if (entries.length === 0 || force) return;
  if (!entries.includes(kind.file)) {
    throw new KerfError(
      'FILE_EXISTS',
      `'${folder}' holds other files and no ${kind.what}; choose another folder or force it`,
    );
  }
  await readManifest(folder, kind);
}

/** A result must never be written over the files that it is made from. @throws {KerfError} FILE_EXISTS. */
export function checkSource(model: ModelFile, folder: string, targets: readonly string[], what: string): void {
  const sources = [model.path, ...[...model.externalFiles.values()].map((file) => file.path)];
  const clash = targets.find((name) => sources.some((file) => path.resolve(file) === path.resolve(folder, name)));
  if (clash !== undefined) {
    throw new KerfError(
      'FILE_EXISTS',
      `the ${what} would write over '${clash}' of the model itself; choose another folder`,
    );
  }
}

/** Parts of a model that the runtime refuses might load: the fault may be in a node that no part needs. */
export async function checkWhole(model: ModelFile, backend: Backend): Promise<void> {
  const { hollow } = fileHost(model);
  const look = async (source: ModelSource): Promise<void> => {
    const whole = await backend.load(source, { optimizationLevel: 'disabled', prepack: false });
    await whole.dispose();
  };
  if (hollow === undefined) return await look({ path: model.path });
  await hollow.withSource(rewriteModel(model.graph, hollow.places, TRANSIENT_DATA_FILE), look);
}

/** @returns whether the folder was not there before. @throws {KerfError} FILE_NOT_FOUND, DISK_FULL. */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    return await makeFolders(folder);
  } catch (cause) {
    throw writeError(cause, `the folder '${folder}'`);
  }
}

/** @throws {KerfError} FILE_NOT_FOUND. */
export async function writeManifest(folder: string, name: string, manifest: object): Promise<void> {
  const file = path.join(folder, name);
  const temporary = `${file}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeError(cause, `'${file}'`);
  }
}

/** @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID. */
export async function readManifest<T>(folder: string, kind: ManifestKind<T>): Promise<T> {
  const file = path.join(folder, kind.file);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `'${file}' is not there or cannot be read`, { cause });
  }
  try {
    return kind.parse(JSON.parse(text));
  } catch (cause) {
    throw KerfError.from(cause, 'MANIFEST_INVALID', `'${file}' is not JSON; ${kind.remedy}`);
  }
}
