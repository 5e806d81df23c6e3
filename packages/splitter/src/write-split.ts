// A planned cut of a model file -> head.onnx, tail.onnx and split.json in a folder.
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ModelFile, type WrittenModel, writeModelFile } from '@kerf/onnx/node';
import { type Backend, parseSplitManifest, type SplitManifest, type SplitPart } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';
import { fileHost } from './file-host.ts';
import {
  checkSource,
  checkTarget,
  checkWhole,
  type ManifestKind,
  readManifest,
  writeManifest,
} from './manifest-folder.ts';
import { type CutPlan, planCut } from './plan-cut.ts';
import { extractSide, type SideRecipe, splitManifest, splitModel } from './split-model.ts';
import { type Check, staged } from './staged-folder.ts';

export const MANIFEST_FILE = 'split.json';

const STAGING = '.kerf-split-';

const SPLIT: ManifestKind<SplitManifest> = {
  file: MANIFEST_FILE,
  what: 'split',
  remedy: 'split the model again',
  leftover: STAGING,
  parse: parseSplitManifest,
};

const MODEL_FILES = ['head.onnx', 'tail.onnx', 'head.onnx.data', 'tail.onnx.data'];
const TARGETS = [...MODEL_FILES, MANIFEST_FILE];

export interface WriteSplitOptions {
  readonly model: ModelFile;
  /** Tensors to cut at, or a plan made from `model.graph`. */
  readonly cut: readonly string[] | CutPlan;
  readonly folder: string;
  readonly backend: Backend;
  /** Overwrites a folder that holds something else than a former split. @default false */
  readonly force?: boolean;
  /** @default 'kerf' */
  readonly createdBy?: string;
  /** @default nothing is asked */
  readonly check?: Check;
}

export interface WrittenSplit {
  readonly manifest: SplitManifest;
  readonly plan: CutPlan;
}

/**
 * Splits a model file. The model, its head and its tail are loaded with the backend before anything is written; the files
 * are then written to a folder of their own inside and moved, split.json last, so that a folder with a split.json holds a
 * whole split.
 * @throws {KerfError} every code of planCut and splitModel, FILE_EXISTS, FILE_NOT_FOUND.
 */
export async function writeSplit(options: WriteSplitOptions): Promise<WrittenSplit> {
  const { model, folder, backend, check } = options;
  const plan = 'graph' in options.cut ? options.cut : planCut(model.graph, options.cut);
  await checkSplitTarget(model, folder, options.force);
  await checkWhole(model, backend);
  await check?.();
  const split = await splitModel(plan, backend, fileHost(model));
  const write = async (staging: string): Promise<SplitManifest> => {
    await check?.();
    const head = await writeSide(model, split.head, staging, 'head');
    await check?.();
    const tail = await writeSide(model, split.tail, staging, 'tail');
    const source = { file: model.name, sha256: model.sha256, bytes: model.bytes };
    return await splitManifest(split, { source, head, tail, createdBy: options.createdBy ?? 'kerf' });
  };
  const putSplit = (manifest: SplitManifest, staging: string): Promise<void> => putInPlace(manifest, staging, folder);
  return { manifest: await staged({ folder, prefix: STAGING, write, putInPlace: putSplit, check }), plan };
}

async function putInPlace(manifest: SplitManifest, staging: string, folder: string): Promise<void> {
  const fresh = new Set(await readdir(staging));
  // From here to the end the old split is not whole: its manifest goes first.
  await rm(path.join(folder, MANIFEST_FILE), { force: true });
  try {
    // A former split may have had one that this one has not.
    for (const file of MODEL_FILES)
      await putFile(fresh.has(file) ? path.join(staging, file) : null, path.join(folder, file));
    await writeManifest(folder, MANIFEST_FILE, manifest);
  } catch (error) {
    // Half a split would stand in the way of the next one.
    await Promise.allSettled(MODEL_FILES.map((name) => rm(path.join(folder, name), { force: true })));
    throw error;
  }
}

async function putFile(from: string | null, to: string): Promise<void> {
  try {
    if (from === null) await rm(to, { force: true });
    else await rename(from, to);
  } catch (cause) {
    throw writeError(cause, `'${to}'`);
  }
}

/** To be asked before long work. @throws {KerfError} FILE_EXISTS when the split of this model must not be written there. */
export async function checkSplitTarget(model: ModelFile, folder: string, force = false): Promise<void> {
  await checkTarget(folder, SPLIT, force);
  checkSource(model, folder, TARGETS, SPLIT.what);
}

async function writeSide(model: ModelFile, recipe: SideRecipe, folder: string, side: string): Promise<SplitPart> {
  const file = `${side}.onnx`;
  const dataFile = `${file}.data`;
  const extracted = extractSide(model.graph, recipe, dataFile);
  const written = await writeModelFile(extracted, path.join(folder, file), model.externalFiles, dataFile);
  return { ...part(written, file), nodes: recipe.nodes, externalData: dataPart(written, dataFile) };
}

function part(
  written: { sha256: string; bytes: number },
  file: string,
): { file: string; sha256: string; bytes: number } {
  return { file, sha256: written.sha256, bytes: written.bytes };
}

function dataPart(written: WrittenModel, file: string): SplitPart['externalData'] {
  return written.externalData === null ? null : part(written.externalData, file);
}

/**
 * Reads the split.json of a folder.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID.
 */
export async function readManifestFile(folder: string): Promise<SplitManifest> {
  return await readManifest(folder, SPLIT);
}
