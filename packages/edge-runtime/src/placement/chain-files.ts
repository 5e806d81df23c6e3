// The files of a chain -> its checked manifest and the loaded segments of a prefix, wherever the bytes come from.
import {
  type Backend,
  type ChainManifest,
  chainHash,
  chainPair,
  chainTableFiles,
  KerfError,
  type LoadedModel,
  type LoadOptions,
  type ModelSource,
  parseChainManifest,
  segmentId,
} from '@kerf/protocol';
import { CheckedFiles, type FileReader } from '../session/checked-files.ts';
import type { CutCoding } from './chain-parts.ts';

/** A chain whose first segments are on this device. */
export interface OpenedChain {
  readonly chain: ChainManifest;
  /** In their order, from the first; as many as the device holds. Each is loaded once, whatever routes use it. */
  readonly segments: readonly LoadedModel[];
  /** By the number of segments on the device: what names the division to the cloud. */
  readonly pairs: readonly string[];
  /** How what crosses is coded, by the number of segments on the device; with the level tables of the cuts. */
  readonly codings: ReadonlyMap<number, CutCoding>;
  /** Disposes of the segments; the backend stays. */
  dispose(): Promise<void>;
}

/** Where the files of a chain are. */
export interface ChainFileSource extends FileReader {
  /** How the runtime gets a segment whose files have been checked; `data` are its external files. */
  source(file: string, bytes: Uint8Array, data: readonly { file: string; bytes: Uint8Array }[]): ModelSource;
}

export interface ChainLoading {
  readonly backend: Backend;
  /** Segments to load, from the first. @default all */
  readonly resident?: number;
  readonly load?: LoadOptions;
}

/**
 * Reads chain.json, checks the files of the segments that are wanted, and loads these.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, MODEL_UNSUPPORTED, INVALID_ARGUMENT.
 */
export async function loadChain(
  files: ChainFileSource,
  { backend, resident, load = {} }: ChainLoading,
): Promise<OpenedChain> {
  const checked = new CheckedFiles(files, 'chain.json', 'make the chain again');
  const chain = parseChainManifest(await checked.manifest());
  const all = chain.segments.length;
  const count = resident ?? all;
  if (!Number.isInteger(count) || count < 0 || count > all) {
    throw new KerfError('INVALID_ARGUMENT', `the chain has ${all} segments; ${count} cannot be on the device`);
  }
  await checkHashes(chain, checked);
  const codings = await codingsOf(chain, checked);
  const here = chain.segments.slice(0, count);
  const usesShared = here.some(({ usesSharedData }) => usesSharedData);
  const shared = usesShared && chain.sharedData !== null ? await checked.bytesOf(chain.sharedData) : null;
  const segments: LoadedModel[] = [];
  const dispose = async (): Promise<void> => void (await Promise.all(segments.map((segment) => segment.dispose())));
  try {
    for (const segment of here) {
      const bytes = await checked.bytesOf(segment);
      const data = segment.externalData;
      const own = data === null ? [] : [{ file: data.file, bytes: await checked.bytesOf(data) }];
      const more =
        segment.usesSharedData && shared !== null ? [{ file: chain.sharedData?.file ?? '', bytes: shared }] : [];
      segments.push(await backend.load(files.source(segment.file, bytes, [...own, ...more]), load));
    }
    const pairs = await Promise.all(chain.segments.map((_segment, at) => chainPair(chain, at)));
    return { chain, segments, pairs, codings, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** That the ids and the chain's name follow from the hashes of the files. */
async function checkHashes(chain: ChainManifest, checked: CheckedFiles): Promise<void> {
  for (const [at, segment] of chain.segments.entries()) {
    if ((await segmentId(segment, chain.sharedData)) !== segment.id) {
      throw checked.mismatch(`chain.json: the id of segment ${at} does not fit its files`);
    }
  }
  if ((await chainHash(chain)) !== chain.chain) {
    throw checked.mismatch("chain.json: the chain's hash does not fit its segments");
  }
}

async function codingsOf(chain: ChainManifest, checked: CheckedFiles): Promise<Map<number, CutCoding>> {
  const tables = await checked.tables(chainTableFiles(chain));
  return new Map(chain.cuts.map(({ codec }, at) => [at + 1, { codec, tables }]));
}
