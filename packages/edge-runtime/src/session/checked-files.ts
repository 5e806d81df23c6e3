// A manifest and the files that it names -> bytes that are what it says, wherever they come from.
import {
  KerfError,
  type LevelTable,
  type ManifestFile,
  messageOf,
  readLevelTable,
  sha256Hex,
  warmUpLevels,
} from '@kerf/protocol';

/** Where the files beside a manifest are. */
export interface FileReader {
  /** @throws {KerfError} FILE_NOT_FOUND. */
  read(file: string): Promise<Uint8Array>;
}

export class CheckedFiles {
  readonly #files: FileReader;
  readonly #manifest: string;
  readonly #remedy: string;

  /** @param manifest its file name. @param remedy what to do about files that do not fit, such as `split the model again`. */
  constructor(files: FileReader, manifest: string, remedy: string) {
    this.#files = files;
    this.#manifest = manifest;
    this.#remedy = remedy;
  }

  /** The manifest as JSON has it. @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID. */
  async manifest(): Promise<unknown> {
    const bytes = await this.#files.read(this.#manifest);
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new KerfError('MANIFEST_INVALID', `${this.#manifest} is not JSON: ${messageOf(cause)}`, { cause });
    }
  }

  /** @throws {KerfError} FILE_NOT_FOUND, PAIR_MISMATCH, BACKEND_UNAVAILABLE. */
  async bytesOf(wanted: ManifestFile): Promise<Uint8Array> {
    const bytes = await this.#files.read(wanted.file);
    const found = bytes.byteLength === wanted.bytes ? await digestOf(bytes) : `${bytes.byteLength} bytes`;
    if (found === wanted.sha256) return bytes;
    throw this.mismatch(`${wanted.file} is not the file that ${this.#manifest} names`, {
      file: wanted.file,
      expected: wanted.sha256,
      found,
    });
  }

  /** Level tables by id, ready for the first frame. @throws {KerfError} as {@link bytesOf}. */
  async tables(files: readonly ManifestFile[]): Promise<ReadonlyMap<string, LevelTable>> {
    const tables = new Map<string, LevelTable>();
    for (const file of files) tables.set(file.sha256, readLevelTable(await this.bytesOf(file), file.sha256));
    // The first parts of a shift are as urgent as the others.
    await warmUpLevels(tables.values());
    return tables;
  }

  mismatch(what: string, details: Record<string, string> = {}): KerfError {
    return new KerfError('PAIR_MISMATCH', `${what}; ${this.#remedy}`, { details });
  }
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new KerfError('BACKEND_UNAVAILABLE', 'hashes need a secure context: serve the page over https');
  }
  return await sha256Hex(bytes);
}
