// A folder below the models folder -> what it holds: a whole model, a tail or a chain, with the files of each.
import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import {
  type ChainManifest,
  chainHash,
  chainPair,
  chainTableFiles,
  divisionNames,
  KerfError,
  type ManifestFile,
  parseChainManifest,
  parseSplitManifest,
  type SplitManifest,
  type SplitPart,
  sourceIdentity,
  tableFilesOf,
} from '@kerf/protocol';
import type { EntryNames, HashedFile } from '../worker/jobs.ts';

/** A model that the folder holds. */
export interface ModelFiles {
  readonly kind: 'tail' | 'whole' | 'chain';
  /** Real paths of the ONNX files in the order of a frame: one, or the segments of a chain. */
  readonly paths: readonly string[];
  /** What frames bring and get, by the segment that they enter at; null where the model itself says so. */
  readonly entries: readonly EntryNames[] | null;
  /** The segment that frames of the session asked for enter at. */
  readonly entry: number;
  /** What names the model that a chain was cut from, as its manifest says; null for others. */
  readonly identity: string | null;
  /** Checked when the model is loaded. */
  readonly hashes: readonly HashedFile[];
  /** Level tables of a split's codec, checked with the others. */
  readonly tables: readonly HashedFile[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Golden samples that a provider has to get right; null where the folder has none. */
  readonly golden: HashedFile | null;
  /** What the cloud calls it: the id without the folder of its version, and that folder's number. */
  readonly release: Release;
  /** Changes when the files do. */
  readonly stamp: string;
}

/** A model and its version; `1` where the folder names none. */
export interface Release {
  readonly model: string;
  readonly version: string;
}

export const MANIFEST = 'split.json';
export const CHAIN = 'chain.json';
export const WHOLE_IN_FOLDER = 'model.onnx';
const GOLDEN = join('golden', 'golden.json');
/** A manifest lists tensors; one of this size is not a manifest. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  readonly stamp: string;
}

/** Reads below one root; links are followed, and nothing outside is ever looked at. */
export class FolderReader {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The model whose folder this is, or null where it holds none. @throws {KerfError} PAIR_MISMATCH, MANIFEST_INVALID. */
  async modelIn(folder: string, release: Release, pair: string | null): Promise<ModelFiles | null> {
    const chain = await this.chainIn(folder);
    if (chain !== null) return this.#chain(folder, release, chain, pair);
    const manifest = await this.manifestIn(folder);
    // A tail is nothing that is opened without its pair.
    if (manifest !== null) return pair === null ? null : this.#tail(folder, release, manifest, pair);
    const file = await this.file(join(folder, WHOLE_IN_FOLDER));
    return file === null ? null : this.whole(folder, release, file, pair);
  }

  /** A whole model in one file; its golden samples lie in `folder`. @throws {KerfError} PAIR_MISMATCH. */
  async whole(folder: string, release: Release, file: FoundFile, pair: string | null): Promise<ModelFiles> {
    if (pair !== null) throw mismatch('the cloud holds a whole model, not the tail of this split');
    const { path, bytes, stamp } = file;
    const golden = await this.#golden(folder);
    const whole = { kind: 'whole', paths: [path], entries: null, entry: 0, hashes: [], tables: [], bytes } as const;
    return { ...whole, identity: null, golden, release, stamp: stampOf(stamp, golden) };
  }

  async #tail(folder: string, release: Release, manifest: SplitManifest, pair: string): Promise<ModelFiles> {
    if (manifest.pair !== pair) {
      throw mismatch('head and tail come from different splits; give both sides the same one');
    }
    const hashes = await this.#hashed(folder, partFiles(manifest.tail));
    const tables = await this.#hashed(folder, tableFilesOf(manifest.codec));
    const bytes = [...hashes, ...tables].reduce((sum, file) => sum + file.bytes, 0);
    // A split that is calibrated anew keeps its pair; sessions that open from then on need its new tables.
    const content = [pair, ...tables.map(({ sha256 }) => sha256)].join(' ');
    const golden = await this.#golden(folder);
    const paths = [hashes[0]?.path ?? ''];
    const tail = { kind: 'tail', paths, entries: null, entry: 0, hashes, tables, bytes } as const;
    return { ...tail, identity: null, golden, release, stamp: stampOf(content, golden) };
  }

  async #chain(folder: string, release: Release, manifest: ChainManifest, pair: string | null): Promise<ModelFiles> {
    const { segments, sharedData } = manifest;
    if ((await chainHash(manifest)) !== manifest.chain) {
      throw new KerfError('MANIFEST_INVALID', "chain.json: the chain's hash does not fit; make the chain again");
    }
    const pairs = await Promise.all(segments.map((_segment, at) => chainPair(manifest, at)));
    const entry = pair === null ? 0 : pairs.indexOf(pair);
    if (entry < 0) throw mismatch('the edge has another chain, or divides this one where the cloud has no work');
    const files = segments.flatMap(({ externalData }) => externalData ?? []);
    const hashes = await this.#hashed(folder, [...segments, ...files, ...(sharedData === null ? [] : [sharedData])]);
    const tables = await this.#hashed(folder, chainTableFiles(manifest));
    const bytes = [...hashes, ...tables].reduce((sum, file) => sum + file.bytes, 0);
    const entries = segments.map((_segment, at): EntryNames => {
      const { tailInputs, tailOutputs } = divisionNames(manifest, at);
      return { inputs: tailInputs, outputs: tailOutputs };
    });
    const paths = hashes.slice(0, segments.length).map(({ path }) => path);
    const golden = await this.#golden(folder);
    const chain = { kind: 'chain', paths, entries, entry, hashes, tables, bytes } as const;
    // A chain that is calibrated anew keeps its pairs; sessions that open from then on need its new tables.
    const content = [manifest.chain, ...tables.map(({ sha256 }) => sha256)].join(' ');
    return { ...chain, identity: sourceIdentity(manifest), golden, release, stamp: stampOf(content, golden) };
  }

  async #hashed(folder: string, files: readonly ManifestFile[]): Promise<HashedFile[]> {
    const hashed: HashedFile[] = [];
    for (const { file, sha256, bytes } of files) {
      const found = await this.file(join(folder, file));
      if (found === null) throw new KerfError('MANIFEST_INVALID', "a file that the model's manifest names is missing");
      hashed.push({ path: found.path, sha256, bytes });
    }
    return hashed;
  }

  async manifestIn(folder: string): Promise<SplitManifest | null> {
    const json = await this.#jsonIn(folder, MANIFEST);
    return json === null ? null : parseSplitManifest(json);
  }

  async chainIn(folder: string): Promise<ChainManifest | null> {
    const json = await this.#jsonIn(folder, CHAIN);
    return json === null ? null : parseChainManifest(json);
  }

  async #jsonIn(folder: string, name: string): Promise<unknown> {
    const file = await this.file(join(folder, name));
    if (file === null) return null;
    try {
      if (file.bytes > MAX_MANIFEST_BYTES) throw new RangeError('too large');
      return JSON.parse(await readFile(file.path, 'utf8')) ?? {};
    } catch (cause) {
      throw new KerfError('MANIFEST_INVALID', `the model's ${name} cannot be read; write it again`, { cause });
    }
  }

  /** A regular file inside the root, links followed; null otherwise. */
  async file(path: string): Promise<FoundFile | null> {
    try {
      const real = await realpath(path);
      if (!real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) return null;
      const stats = await stat(real);
      if (!stats.isFile()) return null;
      return { path: real, bytes: stats.size, stamp: `${stats.size}-${stats.mtimeMs}-${stats.ino}` };
    } catch {
      return null;
    }
  }

  /** The file alone says what the samples are, and names theirs with hashes. */
  async #golden(folder: string): Promise<HashedFile | null> {
    const file = await this.file(join(folder, GOLDEN));
    if (file === null || file.bytes > MAX_MANIFEST_BYTES) return null;
    const sha256 = createHash('sha256')
      .update(await readFile(file.path))
      .digest('hex');
    return { path: file.path, sha256, bytes: file.bytes };
  }
}

function stampOf(content: string, golden: HashedFile | null): string {
  return golden === null ? content : `${content} ${golden.sha256}`;
}

function partFiles({ file, sha256, bytes, externalData }: SplitPart): ManifestFile[] {
  return [{ file, sha256, bytes }, ...(externalData === null ? [] : [externalData])];
}

export function mismatch(message: string): KerfError {
  return new KerfError('PAIR_MISMATCH', message);
}
