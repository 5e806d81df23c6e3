// The bytes of a split -> a checked manifest and loaded models, wherever the bytes come from.
import {
  type Backend,
  type LevelTable,
  type LoadedModel,
  type LoadOptions,
  type ModelSource,
  parseSplitManifest,
  type SplitManifest,
  type SplitPart,
  tableFilesOf,
} from '@kerf/protocol';
import { CheckedFiles, type FileReader } from './checked-files.ts';

/** A split that is ready for {@link EdgeSession.open}. */
export interface OpenedSplit {
  readonly split: SplitManifest;
  readonly head: LoadedModel;
  /** Level tables of the split's codec, by id. */
  readonly tables: ReadonlyMap<string, LevelTable>;
  /** The tail when it was asked for, so that the device can finish frames. */
  readonly local: { readonly tail: LoadedModel } | null;
  /** Disposes of the models; the backend stays. */
  dispose(): Promise<void>;
}

/** Where the files of a split are. */
export interface SplitFiles extends FileReader {
  /** How the runtime gets a file that has been checked. */
  source(part: SplitPart, bytes: Uint8Array, externalData: Uint8Array | null): ModelSource;
}

export interface SplitLoading {
  readonly backend: Backend;
  /** Loads the tail too, for the time without a cloud. */
  readonly withTail: boolean;
  readonly load: LoadOptions;
}

/**
 * Reads split.json, checks every file against it, and loads what is wanted.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, MODEL_UNSUPPORTED.
 */
export async function loadSplit(files: SplitFiles, { backend, withTail, load }: SplitLoading): Promise<OpenedSplit> {
  const checked = new CheckedFiles(files, 'split.json', 'split the model again');
  const split = parseSplitManifest(await checked.manifest());
  const tables = await checked.tables(tableFilesOf(split.codec));
  const head = await backend.load(await checkedPart(files, checked, split.head), load);
  if (!withTail) return { split, head, tables, local: null, dispose: () => head.dispose() };
  try {
    const tail = await backend.load(await checkedPart(files, checked, split.tail), load);
    return {
      split,
      head,
      tables,
      local: { tail },
      dispose: async () => void (await Promise.all([head.dispose(), tail.dispose()])),
    };
  } catch (error) {
    await head.dispose();
    throw error;
  }
}

async function checkedPart(files: SplitFiles, checked: CheckedFiles, part: SplitPart): Promise<ModelSource> {
  const bytes = await checked.bytesOf(part);
  const data = part.externalData === null ? null : await checked.bytesOf(part.externalData);
  return files.source(part, bytes, data);
}
