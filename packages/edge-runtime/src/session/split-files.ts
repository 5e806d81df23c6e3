// The bytes of a split -> a checked manifest and loaded models, wherever the bytes come from.
import {
  type Backend,
  KerfError,
  type LevelTable,
  type LoadedModel,
  type LoadOptions,
  type ModelSource,
  messageOf,
  parseSplitManifest,
  readLevelTable,
  type SplitManifest,
  type SplitPart,
  tableFilesOf,
  warmUpLevels,
} from '@kerf/protocol';

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
export interface SplitFiles {
  /** @throws {KerfError} FILE_NOT_FOUND. */
  read(file: string): Promise<Uint8Array>;
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
  const split = parseSplitManifest(parseJson(await files.read('split.json')));
  const tables = await readTables(files, split);
  const head = await backend.load(await checkedPart(files, split.head), load);
  if (!withTail) return { split, head, tables, local: null, dispose: () => head.dispose() };
  try {
    const tail = await backend.load(await checkedPart(files, split.tail), load);
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

async function readTables(files: SplitFiles, split: SplitManifest): Promise<Map<string, LevelTable>> {
  const tables = new Map<string, LevelTable>();
  for (const file of tableFilesOf(split.codec)) {
    tables.set(file.sha256, readLevelTable(await checkedFile(files, file), file.sha256));
  }
  // The first parts of a shift are as urgent as the others.
  await warmUpLevels(tables.values());
  return tables;
}

async function checkedPart(files: SplitFiles, part: SplitPart): Promise<ModelSource> {
  const bytes = await checkedFile(files, part);
  const data = part.externalData === null ? null : await checkedFile(files, part.externalData);
  return files.source(part, bytes, data);
}

async function checkedFile(
  files: SplitFiles,
  wanted: { file: string; sha256: string; bytes: number },
): Promise<Uint8Array> {
  const bytes = await files.read(wanted.file);
  const found = bytes.byteLength === wanted.bytes ? await sha256(bytes) : `${bytes.byteLength} bytes`;
  if (found !== wanted.sha256) {
    throw new KerfError(
      'PAIR_MISMATCH',
      `${wanted.file} is not the file that split.json names; split the model again`,
      {
        details: { file: wanted.file, expected: wanted.sha256, found },
      },
    );
  }
  return bytes;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new KerfError('BACKEND_UNAVAILABLE', 'hashes need a secure context: serve the page over https');
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', `split.json is not JSON: ${messageOf(cause)}`, { cause });
  }
}
