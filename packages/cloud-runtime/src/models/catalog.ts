// A folder and a model id -> the files of that model; nothing outside the folder is ever looked at.
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import {
  KerfError,
  type ManifestFile,
  parseSplitManifest,
  type SplitManifest,
  type SplitPart,
  tableFilesOf,
} from '@kerf/protocol';
import type { HashedFile } from '../worker/jobs.ts';

/** A model that the folder holds. */
export interface ModelFiles {
  readonly id: string;
  readonly kind: 'tail' | 'whole';
  /** Real path of the ONNX file. */
  readonly path: string;
  /** Checked when the model is loaded. */
  readonly hashes: readonly HashedFile[];
  /** Level tables of a split's codec, checked with the others. */
  readonly tables: readonly HashedFile[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Changes when the files do. */
  readonly version: string;
}

const MANIFEST = 'split.json';
const WHOLE_IN_FOLDER = 'model.onnx';
const MAX_ID_CHARS = 512;
/** A manifest lists tensors; one of this size is not a manifest. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 16;
const MAX_LISTED = 10_000;

export class ModelCatalog {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws {KerfError} FILE_NOT_FOUND when there is no such folder. */
  static async open(modelsDir: string): Promise<ModelCatalog> {
    try {
      const root = await realpath(modelsDir);
      await readdir(root);
      return new ModelCatalog(root);
    } catch (cause) {
      throw new KerfError('FILE_NOT_FOUND', `the models folder ${modelsDir} is not there; make it or name another`, {
        cause,
      });
    }
  }

  /**
   * The model of an id as the files are now. A tail is asked for with the pair of its split, a whole model with null.
   * @throws {KerfError} MODEL_NOT_FOUND, PAIR_MISMATCH, MANIFEST_INVALID. No message holds a path.
   */
  async find(id: string, pair: string | null): Promise<ModelFiles> {
    if (!isModelId(id)) throw notFound();
    const folder = join(this.#root, ...id.split('/'));
    const manifest = await this.#manifestIn(folder);
    if (manifest !== null && pair !== null) return this.#tail(id, folder, manifest, pair);
    const inFolder = manifest === null ? await this.#file(join(folder, WHOLE_IN_FOLDER)) : null;
    const whole = inFolder ?? (await this.#wholeBeside(folder));
    if (whole === null && manifest === null) throw notFound();
    if (whole === null) throw mismatch('the cloud holds the tail of a split; open it with the pair of its split.json');
    if (pair !== null) throw mismatch('the cloud holds a whole model, not the tail of this split');
    return { id, kind: 'whole', path: whole.path, hashes: [], tables: [], bytes: whole.bytes, version: whole.version };
  }

  /** The pair of the tail that an id names now; null for a whole model. @throws {KerfError} MANIFEST_INVALID. */
  async pairOf(id: string): Promise<string | null> {
    if (!isModelId(id)) return null;
    return (await this.#manifestIn(join(this.#root, ...id.split('/'))))?.pair ?? null;
  }

  /** Ids of all models, sorted. */
  async list(): Promise<string[]> {
    const ids = new Set<string>();
    await this.#walk(this.#root, '', 0, ids);
    return [...ids].sort();
  }

  async #walk(folder: string, prefix: string, depth: number, ids: Set<string>): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const isSplit = entries.some((entry) => entry.name === MANIFEST);
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

  async #tail(id: string, folder: string, manifest: SplitManifest, pair: string): Promise<ModelFiles> {
    if (manifest.pair !== pair) {
      throw mismatch('head and tail come from different splits; give both sides the same one');
    }
    const hashes = await this.#hashed(folder, partFiles(manifest.tail));
    const tables = await this.#hashed(folder, tableFilesOf(manifest.codec));
    const bytes = [...hashes, ...tables].reduce((sum, file) => sum + file.bytes, 0);
    // A split that is calibrated anew keeps its pair; sessions that open from then on need its new tables.
    const version = [pair, ...tables.map(({ sha256 }) => sha256)].join(' ');
    return { id, kind: 'tail', path: hashes[0]?.path ?? '', hashes, tables, bytes, version };
  }

  async #hashed(folder: string, files: readonly ManifestFile[]): Promise<HashedFile[]> {
    const hashed: HashedFile[] = [];
    for (const { file, sha256, bytes } of files) {
      const found = await this.#file(join(folder, file));
      if (found === null)
        throw new KerfError('MANIFEST_INVALID', "a file that the model's split.json names is missing");
      hashed.push({ path: found.path, sha256, bytes });
    }
    return hashed;
  }

  async #manifestIn(folder: string): Promise<SplitManifest | null> {
    const file = await this.#file(join(folder, MANIFEST));
    if (file === null) return null;
    let json: unknown;
    try {
      if (file.bytes > MAX_MANIFEST_BYTES) throw new RangeError('too large');
      json = JSON.parse(await readFile(file.path, 'utf8'));
    } catch (cause) {
      throw new KerfError('MANIFEST_INVALID', "the model's split.json cannot be read; split the model again", {
        cause,
      });
    }
    return parseSplitManifest(json);
  }

  /** `NAME.onnx`, where no split.json says that it is a head or a tail. */
  async #wholeBeside(folder: string): Promise<FoundFile | null> {
    const parent = dirname(folder);
    if ((await this.#file(join(parent, MANIFEST))) !== null) return null;
    return this.#file(`${folder}.onnx`);
  }

  /** A regular file inside the root, links followed; null otherwise. */
  async #file(path: string): Promise<FoundFile | null> {
    try {
      const real = await realpath(path);
      if (!real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) return null;
      const stats = await stat(real);
      if (!stats.isFile()) return null;
      return { path: real, bytes: stats.size, version: `${stats.size}-${stats.mtimeMs}-${stats.ino}` };
    } catch {
      return null;
    }
  }
}

interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  readonly version: string;
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

function partFiles({ file, sha256, bytes, externalData }: SplitPart): ManifestFile[] {
  return [{ file, sha256, bytes }, ...(externalData === null ? [] : [externalData])];
}

function notFound(): KerfError {
  return new KerfError('MODEL_NOT_FOUND', 'the cloud has no model of this id; check the id or publish the model');
}

function mismatch(message: string): KerfError {
  return new KerfError('PAIR_MISMATCH', message);
}
