// A folder and a model id -> the releases of that model, the newest first; nothing outside the folder is ever looked at.
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import {
  CHAIN,
  FolderReader,
  MANIFEST,
  type ModelFiles,
  mismatch,
  type Release,
  WHOLE_IN_FOLDER,
} from './folder-reader.ts';

export type { ModelFiles, Release } from './folder-reader.ts';

const MAX_ID_CHARS = 512;
const MAX_DEPTH = 16;
const MAX_LISTED = 10_000;
/** Versions of one model that are looked at, the newest first. */
const MAX_VERSIONS = 64;
/** As Triton's version folders. */
const VERSION = /^[1-9]\d{0,9}$/;

export class ModelCatalog {
  readonly #root: string;
  readonly #reader: FolderReader;

  private constructor(root: string) {
    this.#root = root;
    this.#reader = new FolderReader(root);
  }

  /** @throws {KerfError} FILE_NOT_FOUND when there is no such folder. */
  static async open(modelsDir: string): Promise<ModelCatalog> {
    try {
      const root = await realpath(modelsDir);
      await readdir(root);
      return new ModelCatalog(root);
    } catch (cause) {
      throw new KerfError(
        'FILE_NOT_FOUND',
        `the models folder ${modelsDir} is no folder that can be read; make it or name another`,
        {
          cause,
        },
      );
    }
  }

  /**
   * The newest release of an id as the files are now. A tail is asked for with the pair of its split, a chain with the pair of
   * the place where it is divided, a whole model or a whole chain with null.
   * @throws {KerfError} MODEL_NOT_FOUND, PAIR_MISMATCH, MANIFEST_INVALID. No message holds a path.
   */
  async find(id: string, pair: string | null): Promise<ModelFiles> {
    const [newest] = await this.candidates(id, pair);
    if (newest === undefined) throw modelNotFound(id);
    return newest;
  }

  /**
   * All releases that an id and a pair may mean, the newest first: one, or where the folder of the id holds numbered ones,
   * those of them that fit.
   * @throws {KerfError} as {@link find}; of several releases what is wrong with the newest, when none fits.
   */
  async candidates(id: string, pair: string | null): Promise<ModelFiles[]> {
    if (!isModelId(id)) throw modelNotFound(id);
    const folder = this.#folderOf(id);
    const own = await this.#reader.modelIn(folder, await this.#releaseOf(id), pair);
    if (own !== null) return [own];
    const found: ModelFiles[] = [];
    let wrong: unknown = null;
    for (const version of await this.versions(id)) {
      try {
        const files = await this.#reader.modelIn(join(folder, version), { model: id, version }, pair);
        if (files !== null) found.push(files);
      } catch (error) {
        wrong ??= error;
      }
    }
    if (found.length > 0) return found;
    if (wrong !== null) throw wrong;
    return [await this.#wholeBeside(id, folder, pair)];
  }

  /** Numbers of the releases in the folder of an id, the newest first. */
  async versions(id: string): Promise<string[]> {
    if (!isModelId(id)) return [];
    const entries = await readdir(this.#folderOf(id), { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && VERSION.test(entry.name))
      .map(({ name }) => name)
      .sort((a, b) => Number(b) - Number(a))
      .slice(0, MAX_VERSIONS);
  }

  /** The pair of the tail that an id names now; null for a whole model or a chain. @throws {KerfError} MANIFEST_INVALID. */
  async pairOf(id: string): Promise<string | null> {
    if (!isModelId(id)) return null;
    const folder = this.#folderOf(id);
    const [newest] = await this.versions(id);
    const manifest =
      (await this.#reader.manifestIn(folder)) ??
      (newest === undefined ? null : await this.#reader.manifestIn(join(folder, newest)));
    return manifest?.pair ?? null;
  }

  /** Ids of all models, sorted; those of numbered releases each with its number. */
  async list(): Promise<string[]> {
    const ids = new Set<string>();
    await this.#walk(this.#root, '', 0, ids);
    return [...ids].sort();
  }

  /** All releases, sorted by model and number. */
  async releases(): Promise<Release[]> {
    return Promise.all((await this.list()).map((id) => this.#releaseOf(id)));
  }

  /** `a/b/3` is version 3 of `a/b`, unless `a/b` is a model itself. */
  async #releaseOf(id: string): Promise<Release> {
    const version = basename(id);
    const model = dirname(id);
    const isNumbered = model !== '.' && VERSION.test(version) && !(await this.#isModelFolder(this.#folderOf(model)));
    return isNumbered ? { model, version } : { model: id, version: '1' };
  }

  async #isModelFolder(folder: string): Promise<boolean> {
    for (const name of [MANIFEST, CHAIN, WHOLE_IN_FOLDER]) {
      if ((await this.#reader.file(join(folder, name))) !== null) return true;
    }
    return false;
  }

  #folderOf(id: string): string {
    return join(this.#root, ...id.split('/'));
  }

  async #walk(folder: string, prefix: string, depth: number, ids: Set<string>): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const isSplit = entries.some(({ name }) => name === MANIFEST || name === CHAIN);
    if (isSplit && prefix !== '') ids.add(prefix.slice(0, -1));
    for (const entry of entries) {
      if (ids.size >= MAX_LISTED) return;
      if (entry.isDirectory() && depth < MAX_DEPTH) {
        await this.#walk(join(folder, entry.name), `${prefix}${entry.name}/`, depth + 1, ids);
      } else if (!isSplit && entry.isFile() && entry.name.endsWith('.onnx')) {
        const id = entry.name === WHOLE_IN_FOLDER ? prefix.slice(0, -1) : `${prefix}${basename(entry.name, '.onnx')}`;
        if (isModelId(id)) ids.add(id);
      }
    }
  }

  /** `NAME.onnx`, where no manifest says that it is a part of a model. */
  async #wholeBeside(id: string, folder: string, pair: string | null): Promise<ModelFiles> {
    const parent = dirname(folder);
    for (const manifest of [MANIFEST, CHAIN]) {
      if ((await this.#reader.file(join(parent, manifest))) !== null) throw modelNotFound(id);
    }
    const file = await this.#reader.file(`${folder}.onnx`);
    if (file === null && (await this.pairOf(id)) !== null) {
      throw mismatch('the cloud holds the tail of a split; open it with the pair of its split.json');
    }
    if (file === null) throw modelNotFound(id);
    return this.#reader.whole(folder, { model: id, version: '1' }, file, pair);
  }
}

/** Parts of a path below the folder: no empty ones, none that leads elsewhere, nothing that a file system reads in its own way. */
function isModelId(id: string): boolean {
  if (id === '' || id.length > MAX_ID_CHARS) return false;
  return id.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !hasStrangeCharacter(part));
}

function hasStrangeCharacter(part: string): boolean {
  for (let at = 0; at < part.length; at++) if (part.charCodeAt(at) < 32) return true;
  return part.includes('\\') || part.includes(':');
}

/** Ids come from anybody: of a long one the start is enough. */
export function modelNotFound(id: string): KerfError {
  const name = id.slice(0, 100);
  return new KerfError('MODEL_NOT_FOUND', `the cloud has no model '${name}'; check the id or publish the model`);
}
