// Releases of a whole model -> the one that an identity names.
import { hashFile } from '@kerf/onnx/node';
import type { ModelFiles } from './catalog.ts';

const MAX_KEPT = 1000;

export class ReleaseNames {
  /** Of a file as it was: what a worker has said, or the hash of the file. */
  readonly #names = new Map<string, Promise<string | null>>();

  /** @param identity what the worker has read; null where the manifest says it. */
  note(files: ModelFiles, identity: string | null): void {
    if (identity !== null) void this.#keep(keyOf(files), Promise.resolve(identity));
  }

  /**
   * The newest that is that model; null where none is, or there is no choice. A release with weights beside it is known once it
   * has been loaded: finding them takes a reader of ONNX, and that runs in workers only.
   */
  async find(releases: readonly ModelFiles[], identity: string): Promise<ModelFiles | null> {
    if (releases.length < 2) return null;
    for (const files of releases) if ((await this.#nameOf(files)) === identity) return files;
    return null;
  }

  #nameOf(files: ModelFiles): Promise<string | null> {
    if (files.identity !== null || files.kind !== 'whole') return Promise.resolve(files.identity);
    const key = keyOf(files);
    return this.#names.get(key) ?? this.#keep(key, hashOf(files.paths[0] ?? ''));
  }

  #keep(key: string, name: Promise<string | null>): Promise<string | null> {
    if (this.#names.size >= MAX_KEPT) this.#names.clear();
    this.#names.set(key, name);
    return name;
  }
}

function keyOf({ paths, stamp }: ModelFiles): string {
  return `${paths.join('\n')}\n${stamp}`;
}

/** Null for a file that cannot be read. */
async function hashOf(path: string): Promise<string | null> {
  try {
    return (await hashFile(path)).sha256;
  } catch {
    return null;
  }
}
