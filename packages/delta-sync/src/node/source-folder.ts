// A path to a model with its data files, to a folder of files, or to any file -> what the encoder reads.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { openModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import type { SourceFile, TensorRange } from '../encode/source-files.ts';
import { isSafeFileName } from '../format/file-name.ts';
import { MAX_FILES } from '../format/limits.ts';
import { sha256OfReader } from '../hash.ts';
import { modelLayout } from '../model/model-layout.ts';
import { type FileReader, nodeHasher, openFileReader } from './file-reader.ts';

export interface OpenSources {
  readonly files: readonly SourceFile[];
  close(): Promise<void>;
}

interface KnownFile {
  readonly path: string;
  readonly name: string;
  readonly tensors: readonly TensorRange[];
  readonly isModel: boolean;
}

/**
 * A model and the data files that it names, all files of a folder (without folders in it), or one file.
 * @throws {KerfError} FILE_NOT_FOUND, EXTERNAL_DATA when a data file of a model is missing, INVALID_ARGUMENT for names
 *   that another system could not hold.
 */
export async function openSources(place: string): Promise<OpenSources> {
  const known = await knownFiles(place);
  if (known.length > MAX_FILES) {
    throw new KerfError('INVALID_ARGUMENT', `'${place}' holds ${known.length} files, a delta takes up to ${MAX_FILES}`);
  }
  const readers: FileReader[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.close()));
  };
  try {
    const files: SourceFile[] = [];
    for (const { path: file, name, tensors, isModel } of known) {
      if (!isSafeFileName(name)) {
        throw new KerfError('INVALID_ARGUMENT', `'${name}' cannot be the name of a file on every system: rename it`);
      }
      const reader = await openFileReader(file);
      readers.push(reader);
      files.push({ name, reader, tensors, isModel, sha256: await sha256OfReader(reader, nodeHasher) });
    }
    return { files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function knownFiles(place: string): Promise<KnownFile[]> {
  const stats = await stat(place).catch((cause: unknown) => {
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `'${place}' is not there or cannot be read`);
  });
  if (!stats.isDirectory()) return await modelFiles(place);
  const entries = await readdir(place, { withFileTypes: true });
  const files = new Map<string, KnownFile>();
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    // A data file is found with its model, which knows what is in it.
    for (const file of await modelFiles(path.join(place, entry.name))) {
      const before = files.get(file.name);
      if (before === undefined || before.tensors.length < file.tensors.length) files.set(file.name, file);
    }
  }
  if (files.size === 0) throw new KerfError('FILE_NOT_FOUND', `the folder '${place}' holds no files`);
  return [...files.values()];
}

/** A model with its data files; any other file alone. */
async function modelFiles(file: string): Promise<KnownFile[]> {
  const alone = { path: file, name: path.basename(file), tensors: [], isModel: false };
  if (!file.toLowerCase().endsWith('.onnx')) return [alone];
  let model: Awaited<ReturnType<typeof openModelFile>>;
  try {
    model = await openModelFile(file);
  } catch (error) {
    // What kerf does not understand as a model is still a file.
    if (KerfError.is(error) && error.code.startsWith('MODEL_')) return [alone];
    throw error;
  }
  const layout = modelLayout(model.graph.model);
  const data = [...model.externalFiles.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    { ...alone, tensors: layout.get('') ?? [], isModel: true },
    ...data.map(([location, { path: dataPath }]) => {
      if (path.basename(location) !== location) {
        throw new KerfError(
          'EXTERNAL_DATA',
          `the data file '${location}' lies in a folder of its own; a delta holds files beside the model only: move it there`,
        );
      }
      return { path: dataPath, name: location, tensors: layout.get(location) ?? [], isModel: false };
    }),
  ];
}
