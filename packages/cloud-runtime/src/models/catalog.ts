// A folder and a model id -> the files of that model; nothing outside the folder is ever looked at.
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import {
  type ChainManifest,
  chainHash,
  chainPair,
  divisionNames,
  KerfError,
  type ManifestFile,
  parseChainManifest,
  parseSplitManifest,
  type SplitManifest,
  type SplitPart,
  tableFilesOf,
} from '@kerf/protocol';
import type { EntryNames, HashedFile } from '../worker/jobs.ts';

/** A model that the folder holds. */
export interface ModelFiles {
  readonly id: string;
  readonly kind: 'tail' | 'whole' | 'chain';
  /** Real paths of the ONNX files in the order of a frame: one, or the segments of a chain. */
  readonly paths: readonly string[];
  /** What frames bring and get, by the segment that they enter at; null where the model itself says so. */
  readonly entries: readonly EntryNames[] | null;
  /** The segment that frames of the session asked for enter at. */
  readonly entry: number;
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
const CHAIN = 'chain.json';
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
   * The model of an id as the files are now. A tail is asked for with the pair of its split, a chain with the pair of the
   * place where it is divided, a whole model or a whole chain with null.
   * @throws {KerfError} MODEL_NOT_FOUND, PAIR_MISMATCH, MANIFEST_INVALID. No message holds a path.
   */
  async find(id: string, pair: string | null): Promise<ModelFiles> {
    if (!isModelId(id)) throw notFound();
    const folder = join(this.#root, ...id.split('/'));
    const chain = await this.#chainIn(folder);
    if (chain !== null) return this.#chain(id, folder, chain, pair);
    const manifest = await this.#manifestIn(folder);
    if (manifest !== null && pair !== null) return this.#tail(id, folder, manifest, pair);
    const inFolder = manifest === null ? await this.#file(join(folder, WHOLE_IN_FOLDER)) : null;
    const whole = inFolder ?? (await this.#wholeBeside(folder));
    if (whole === null && manifest === null) throw notFound();
    if (whole === null) throw mismatch('the cloud holds the tail of a split; open it with the pair of its split.json');
    if (pair !== null) throw mismatch('the cloud holds a whole model, not the tail of this split');
    return {
      id,
      kind: 'whole',
      paths: [whole.path],
      entries: null,
      entry: 0,
      hashes: [],
      tables: [],
      bytes: whole.bytes,
      version: whole.version,
    };
  }

  /** The pair of the tail that an id names now; null for a whole model or a chain. @throws {KerfError} MANIFEST_INVALID. */
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

  async #tail(id: string, folder: string, manifest: SplitManifest, pair: string): Promise<ModelFiles> {
    if (manifest.pair !== pair) {
      throw mismatch('head and tail come from different splits; give both sides the same one');
    }
    const hashes = await this.#hashed(folder, partFiles(manifest.tail));
    const tables = await this.#hashed(folder, tableFilesOf(manifest.codec));
    const bytes = [...hashes, ...tables].reduce((sum, file) => sum + file.bytes, 0);
    // A split that is calibrated anew keeps its pair; sessions that open from then on need its new tables.
    const version = [pair, ...tables.map(({ sha256 }) => sha256)].join(' ');
    const paths = [hashes[0]?.path ?? ''];
    return { id, kind: 'tail', paths, entries: null, entry: 0, hashes, tables, bytes, version };
  }

  async #chain(id: string, folder: string, manifest: ChainManifest, pair: string | null): Promise<ModelFiles> {
    const { segments, sharedData } = manifest;
    if ((await chainHash(manifest)) !== manifest.chain) {
      throw new KerfError('MANIFEST_INVALID', "chain.json: the chain's hash does not fit; make the chain again");
    }
    const pairs = await Promise.all(segments.map((_segment, at) => chainPair(manifest, at)));
    const entry = pair === null ? 0 : pairs.indexOf(pair);
    if (entry < 0) throw mismatch('the edge has another chain, or divides this one where the cloud has no work');
    const files = segments.flatMap(({ externalData }) => externalData ?? []);
    const hashes = await this.#hashed(folder, [...segments, ...files, ...(sharedData === null ? [] : [sharedData])]);
    const bytes = hashes.reduce((sum, file) => sum + file.bytes, 0);
    const entries = segments.map((_segment, at): EntryNames => {
      const { tailInputs, tailOutputs } = divisionNames(manifest, at);
      return { inputs: tailInputs, outputs: tailOutputs };
    });
    const paths = hashes.slice(0, segments.length).map(({ path }) => path);
    return { id, kind: 'chain', paths, entries, entry, hashes, tables: [], bytes, version: manifest.chain };
  }

  async #hashed(folder: string, files: readonly ManifestFile[]): Promise<HashedFile[]> {
    const hashed: HashedFile[] = [];
    for (const { file, sha256, bytes } of files) {
      const found = await this.#file(join(folder, file));
      if (found === null) throw new KerfError('MANIFEST_INVALID', "a file that the model's manifest names is missing");
      hashed.push({ path: found.path, sha256, bytes });
    }
    return hashed;
  }

  async #manifestIn(folder: string): Promise<SplitManifest | null> {
    const json = await this.#jsonIn(folder, MANIFEST);
    return json === null ? null : parseSplitManifest(json);
  }

  async #chainIn(folder: string): Promise<ChainManifest | null> {
    const json = await this.#jsonIn(folder, CHAIN);
    return json === null ? null : parseChainManifest(json);
  }

  async #jsonIn(folder: string, name: string): Promise<unknown> {
    const file = await this.#file(join(folder, name));
    if (file === null) return null;
    try {
      if (file.bytes > MAX_MANIFEST_BYTES) throw new RangeError('too large');
      return JSON.parse(await readFile(file.path, 'utf8')) ?? {};
    } catch (cause) {
      throw new KerfError('MANIFEST_INVALID', `the model's ${name} cannot be read; write it again`, { cause });
    }
  }

  /** `NAME.onnx`, where no manifest says that it is a part of a model. */
  async #wholeBeside(folder: string): Promise<FoundFile | null> {
    const parent = dirname(folder);
    for (const manifest of [MANIFEST, CHAIN]) if ((await this.#file(join(parent, manifest))) !== null) return null;
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
