// A folder that `kerf chain` wrote -> a chain that is ready for routes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, KerfError, type LoadOptions, type ModelSource, messageOf } from '@kerf/protocol';
import { loadChain, type OpenedChain } from '../placement/chain-files.ts';

export interface OpenChainFolderOptions {
  readonly backend: Backend;
  /** Segments to hold, from the first. @default all */
  readonly resident?: number;
  readonly load?: LoadOptions;
}

/**
 * Opens a chain's first segments; every file of them is checked against the hashes in chain.json.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, MODEL_UNSUPPORTED, INVALID_ARGUMENT.
 */
export function openChainFolder(folder: string, options: OpenChainFolderOptions): Promise<OpenedChain> {
  const files = {
    read: async (file: string): Promise<Uint8Array> => {
      try {
        return await readFile(join(folder, file));
      } catch (cause) {
        const why = cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause);
        throw new KerfError('FILE_NOT_FOUND', `${file} cannot be read in the chain's folder: ${why}`, { cause });
      }
    },
    // The checked bytes themselves; by path only where ONNX Runtime must find external data beside the file.
    source: (file: string, bytes: Uint8Array, data: readonly unknown[]): ModelSource =>
      data.length === 0 ? { bytes } : { path: join(folder, file) },
  };
  return loadChain(files, options);
}
