// A folder that `kerf split` wrote -> a split that is ready to run.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, KerfError, type LoadOptions, type ModelSource, messageOf } from '@kerf/protocol';
import { loadSplit, type OpenedSplit } from '../session/split-files.ts';

export interface OpenSplitOptions {
  readonly backend: Backend;
  /** Loads the tail too, so that the device can finish frames when the cloud is away. @default false */
  readonly withTail?: boolean;
  readonly load?: LoadOptions;
}

/**
 * Opens head and, if wanted, tail; every file is checked against the hashes in split.json.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, MODEL_UNSUPPORTED.
 */
export function openSplitFolder(
  folder: string,
  { backend, withTail = false, load = {} }: OpenSplitOptions,
): Promise<OpenedSplit> {
  const read = async (file: string): Promise<Uint8Array> => {
    try {
      return await readFile(join(folder, file));
    } catch (cause) {
      throw new KerfError('FILE_NOT_FOUND', `${file} cannot be read in the split folder: ${codeOf(cause)}`, { cause });
    }
  };
  const files = {
    read,
    // The checked bytes themselves; by path only where ONNX Runtime must find external data beside the file.
    source: ({ file }: { file: string }, bytes: Uint8Array, data: Uint8Array | null): ModelSource =>
      data === null ? { bytes } : { path: join(folder, file) },
  };
  return loadSplit(files, { backend, withTail, load });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
}
