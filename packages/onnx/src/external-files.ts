// The external data of a model -> checked files inside the model's folder.
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { tensorsOfGraph, tensorsOfNode } from './external-rewrite.ts';
import { type Model, shorten, type TensorRecord } from './model.ts';
import { tensorByteLength } from './verify-tensors.ts';

/** Real path and size of a data file, by location string. */
export type ExternalFiles = ReadonlyMap<string, { readonly path: string; readonly bytes: number }>;

/** Every tensor of a model that keeps its data outside. */
export function externalTensors(model: Model): TensorRecord[] {
  const found: TensorRecord[] = [];
  const keep = (tensors: Iterable<TensorRecord>): void => {
    for (const tensor of tensors) if (tensor.external !== null) found.push(tensor);
  };
  if (model.graph !== null) keep(tensorsOfGraph(model.graph));
  for (const entry of model.functions) for (const node of entry.nodes) keep(tensorsOfNode(node));
  return found;
}

/**
 * Finds each data file and checks that it is a file inside the model's folder, links followed, and long enough.
 * @throws {KerfError} EXTERNAL_DATA.
 */
export async function resolveExternalFiles(model: Model, folder: string): Promise<ExternalFiles> {
  const files = new Map<string, { path: string; bytes: number }>();
  const tensors = externalTensors(model);
  if (tensors.length === 0) return files;
  const root = await realpath(folder);
  for (const tensor of tensors) {
    const { location, offset } = tensor.external ?? { location: '', offset: 0 };
    let file = files.get(location);
    if (file === undefined) {
      file = await resolveFile(root, location, tensor.name);
      files.set(location, file);
    }
    const end = offset + tensorByteLength(tensor);
    if (end > file.bytes) {
      throw fault(tensor.name, `'${shorten(location)}' has ${file.bytes} bytes, the tensor ends at ${end}`);
    }
  }
  return files;
}

async function resolveFile(root: string, location: string, tensor: string): Promise<{ path: string; bytes: number }> {
  let real: string;
  try {
    real = await realpath(path.join(root, location));
  } catch (cause) {
    throw fault(tensor, `'${shorten(location)}' is not beside the model`, cause);
  }
  const relative = path.relative(root, real);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) {
    throw fault(tensor, `'${shorten(location)}' leads out of the model's folder`);
  }
  const stats = await stat(real);
  if (!stats.isFile()) throw fault(tensor, `'${shorten(location)}' is not a file`);
  return { path: real, bytes: stats.size };
}

function fault(tensor: string, what: string, cause?: unknown): KerfError {
  return new KerfError('EXTERNAL_DATA', `external data of tensor '${shorten(tensor)}': ${what}`, { cause });
}
