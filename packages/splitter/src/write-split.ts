// A planned cut of a model file -> head.onnx, tail.onnx and split.json in a folder.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ModelFile, type WrittenModel, writeModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError, parseSplitManifest, type SplitManifest, type SplitPart } from '@kerf/protocol';
import { fileHost } from './file-host.ts';
import { type CutPlan, planCut } from './plan-cut.ts';
import { extractSide, type SideRecipe, splitManifest, splitModel } from './split-model.ts';

export const MANIFEST_FILE = 'split.json';

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
}

export interface WrittenSplit {
  readonly manifest: SplitManifest;
  readonly plan: CutPlan;
}

/**
 * Splits a model file. The model, its head and its tail are loaded with the backend before anything is written; each
 * file is then written under a temporary name and renamed, split.json last, so that a folder with a split.json holds a
 * whole split.
 * @throws {KerfError} every code of planCut and splitModel, FILE_EXISTS, FILE_NOT_FOUND.
 */
export async function writeSplit(options: WriteSplitOptions): Promise<WrittenSplit> {
  const { model, folder, backend } = options;
  const plan = 'graph' in options.cut ? options.cut : planCut(model.graph, options.cut);
  await checkTarget(folder, options.force ?? false);
  checkSource(model, folder);
  await checkWhole(model, backend);
  const split = await splitModel(plan, backend, fileHost(model));
  await makeFolder(folder);
  // From here to the end the old split is not whole: its manifest goes first.
  await rm(path.join(folder, MANIFEST_FILE), { force: true });
  const head = await writeSide(model, split.head, folder, 'head');
  const tail = await writeSide(model, split.tail, folder, 'tail');
  const source = { file: model.name, sha256: model.sha256, bytes: model.bytes };
  const manifest = await splitManifest(split, { source, head, tail, createdBy: options.createdBy ?? 'kerf' });
  await writeManifest(path.join(folder, MANIFEST_FILE), manifest);
  return { manifest, plan };
}

/** Parts of a model that the runtime refuses might load: the fault may be in a node that no part needs. */
async function checkWhole(model: ModelFile, backend: Backend): Promise<void> {
  const whole = await backend.load({ path: model.path }, { optimizationLevel: 'disabled' });
  await whole.dispose();
}

async function checkTarget(folder: string, force: boolean): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new KerfError('FILE_EXISTS', `'${folder}' is not a folder that can be written to`, { cause });
  }
  if (entries.length === 0 || force) return;
  if (!entries.includes(MANIFEST_FILE)) {
    throw new KerfError('FILE_EXISTS', `'${folder}' holds other files and no split; choose another folder or force it`);
  }
  await readManifestFile(folder);
}

/** A split must never write over the files that it reads. */
function checkSource(model: ModelFile, folder: string): void {
  const sources = [model.path, ...[...model.externalFiles.values()].map((file) => file.path)];
  const targets = ['head.onnx', 'tail.onnx', 'head.onnx.data', 'tail.onnx.data', MANIFEST_FILE];
  const clash = targets.find((name) => sources.some((file) => path.resolve(file) === path.resolve(folder, name)));
  if (clash !== undefined) {
    throw new KerfError(
      'FILE_EXISTS',
      `the split would write over '${clash}' of the model itself; choose another folder`,
    );
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the folder '${folder}' cannot be made`, { cause });
  }
}

async function writeSide(model: ModelFile, recipe: SideRecipe, folder: string, side: string): Promise<SplitPart> {
  const file = `${side}.onnx`;
  const dataFile = `${file}.data`;
  const extracted = extractSide(model.graph, recipe, dataFile);
  const written = await writeModelFile(extracted, path.join(folder, file), model.externalFiles, dataFile);
  // A former split may have had one.
  if (written.externalData === null) await rm(path.join(folder, dataFile), { force: true });
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

async function writeManifest(file: string, manifest: SplitManifest): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new KerfError('FILE_NOT_FOUND', `'${file}' cannot be written`, { cause });
  }
}

/**
 * Reads the split.json of a folder.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID.
 */
export async function readManifestFile(folder: string): Promise<SplitManifest> {
  const file = path.join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `'${file}' is not there or cannot be read`, { cause });
  }
  try {
    return parseSplitManifest(JSON.parse(text));
  } catch (cause) {
    throw KerfError.from(cause, 'MANIFEST_INVALID', `'${file}' is not JSON; split the model again`);
  }
}
