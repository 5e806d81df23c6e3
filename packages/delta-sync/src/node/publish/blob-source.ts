// A file of a published release -> what the encoder reads: its blob, and where its tensors lie.
import path from 'node:path';
import { readModel } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import type { SourceFile, TensorRange } from '../../encode/source-files.ts';
import { type ModelLayout, modelLayout } from '../../model/model-layout.ts';
import type { ReleaseFile, ReleaseManifest } from '../../release/release-manifest.ts';
import { REPOSITORY_PATHS } from '../../release/repository-layout.ts';
import { openFileReader } from '../file-reader.ts';

export interface OpenBlob {
  readonly source: SourceFile;
  close(): Promise<void>;
}

const MODEL_ROLES = new Set(['model', 'head', 'tail', 'segment']);

/** @throws {KerfError} FILE_NOT_FOUND when the blob is not in the repository. */
export async function openBlob(repository: string, manifest: ReleaseManifest, file: ReleaseFile): Promise<OpenBlob> {
  const tensors = await tensorsOf(repository, manifest, file);
  const reader = await openFileReader(blobPath(repository, file));
  const { name, sha256 } = file;
  return {
    source: { name, sha256, reader, tensors, isModel: MODEL_ROLES.has(file.role) },
    close: () => reader.close(),
  };
}

/** A model knows its own tensors and those of its data files. */
async function tensorsOf(
  repository: string,
  { files }: ReleaseManifest,
  file: ReleaseFile,
): Promise<readonly TensorRange[]> {
  if (MODEL_ROLES.has(file.role)) return (await layoutOf(repository, file))?.get('') ?? [];
  if (file.role !== 'data') return [];
  for (const model of files.filter(({ role }) => MODEL_ROLES.has(role))) {
    const tensors = (await layoutOf(repository, model))?.get(file.name);
    if (tensors !== undefined) return tensors;
  }
  return [];
}

async function layoutOf(repository: string, model: ReleaseFile): Promise<ModelLayout | null> {
  const reader = await openFileReader(blobPath(repository, model));
  try {
    return modelLayout(readModel(await reader.read(0, reader.byteLength)));
  } catch (error) {
    // What kerf no longer understands as a model is still a file.
    if (KerfError.is(error) && error.code.startsWith('MODEL_')) return null;
    throw error;
  } finally {
    await reader.close();
  }
}

function blobPath(repository: string, { sha256 }: ReleaseFile): string {
  return path.join(repository, REPOSITORY_PATHS.blob(sha256));
}
