// The files of a model before and after the runtime reads them -> whether they are the right ones, and which model that is.
import { fileStamp, isWrittenInPlace, modelIdentity, openModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import { checkHash } from './hashed-file.ts';
import type { LoadRequest } from './jobs.ts';

export class SeenFiles {
  /** What names a whole model without a manifest; null for others, whose manifest names them. */
  readonly identity: string | null;
  readonly #stamps: ReadonlyMap<string, string>;
  /** Weights beside the models, which the runtime maps into its memory: it reads them on at every run. */
  readonly #mapped: readonly string[];

  private constructor(identity: string | null, stamps: ReadonlyMap<string, string>, mapped: readonly string[]) {
    this.identity = identity;
    this.#stamps = stamps;
    this.#mapped = mapped;
  }

  /**
   * Hashes and verifies all files.
   * @throws {KerfError} MANIFEST_INVALID when a file is not the one that the manifest names, PAIR_MISMATCH when a whole model
   * is not the one that was loaded before, MODEL_MALFORMED, MODEL_TOO_LARGE, EXTERNAL_DATA, FILE_NOT_FOUND.
   */
  static async look({ paths, files, identity }: LoadRequest): Promise<SeenFiles> {
    const stamps = new Map<string, string>();
    const note = async (path: string): Promise<void> => void stamps.set(path, await fileStamp(path));
    for (const path of [...paths, ...files.map((file) => file.path)]) await note(path);
    for (const file of files) await checkHash(file);
    const mapped: string[] = [];
    let found: string | null = null;
    try {
      for (const path of paths) {
        const model = await openModelFile(path);
        for (const { path: data } of model.externalFiles.values()) {
          mapped.push(data);
          await note(data);
        }
        if (files.length === 0) found = await modelIdentity(model);
      }
    } catch (error) {
      throw identity === null ? error : replaced();
    }
    if (identity !== null && found !== identity) throw replaced();
    return new SeenFiles(found, stamps, mapped);
  }

  /** @throws {KerfError} BACKEND_FAILED when a file has changed since: nobody knows what the runtime has read. */
  async checkUnchanged(): Promise<void> {
    for (const [path, stamp] of this.#stamps) {
      if ((await fileStamp(path)) !== stamp) {
        throw new KerfError('BACKEND_FAILED', 'the model was replaced while it was loaded; open it again');
      }
    }
  }

  /** Whether weights that the runtime maps were written to where they lie: see {@link isWrittenInPlace}. */
  get isOverwritten(): boolean {
    return this.#mapped.some((path) => isWrittenInPlace(path, this.#stamps.get(path) ?? ''));
  }
}

function replaced(): KerfError {
  return new KerfError('PAIR_MISMATCH', 'the model is not the one that was loaded before; open it again');
}
