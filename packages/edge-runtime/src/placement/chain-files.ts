// The files of a chain -> its checked manifest and the loaded segments of a prefix, wherever the bytes come from.
import {
  type Backend,
  type ChainManifest,
  chainHash,
  chainPair,
  KerfError,
  type LoadedModel,
  type LoadOptions,
  type ManifestFile,
  type ModelSource,
  messageOf,
  parseChainManifest,
  segmentId,
  sha256Hex,
} from '@kerf/protocol';

/** A chain whose first segments are on this device. */
export interface OpenedChain {
  readonly chain: ChainManifest;
  /** In their order, from the first; as many as the device holds. Each is loaded once, whatever routes use it. */
  readonly segments: readonly LoadedModel[];
  /** By the number of segments on the device: what names the division to the cloud. */
  readonly pairs: readonly string[];
  /** Disposes of the segments; the backend stays. */
  dispose(): Promise<void>;
}

/** Where the files of a chain are. */
export interface ChainFileSource {
  /** @throws {KerfError} FILE_NOT_FOUND. */
  read(file: string): Promise<Uint8Array>;
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
  const chain = parseChainManifest(parseJson(await files.read('chain.json')));
  const all = chain.segments.length;
  const count = resident ?? all;
  if (!Number.isInteger(count) || count < 0 || count > all) {
    throw new KerfError('INVALID_ARGUMENT', `the chain has ${all} segments; ${count} cannot be on the device`);
  }
  await checkHashes(chain);
  const here = chain.segments.slice(0, count);
  const usesShared = here.some(({ usesSharedData }) => usesSharedData);
  const shared = usesShared && chain.sharedData !== null ? await checkedFile(files, chain.sharedData) : null;
  const segments: LoadedModel[] = [];
  const dispose = async (): Promise<void> => void (await Promise.all(segments.map((segment) => segment.dispose())));
  try {
    for (const segment of here) {
      const bytes = await checkedFile(files, segment);
      const own = segment.externalData === null ? [] : [await withBytes(files, segment.externalData)];
      const more =
        segment.usesSharedData && shared !== null ? [{ file: chain.sharedData?.file ?? '', bytes: shared }] : [];
      segments.push(await backend.load(files.source(segment.file, bytes, [...own, ...more]), load));
    }
    const pairs = await Promise.all(chain.segments.map((_segment, at) => chainPair(chain, at)));
    return { chain, segments, pairs, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** That the ids and the chain's name follow from the hashes of the files. */
async function checkHashes(chain: ChainManifest): Promise<void> {
  for (const [at, segment] of chain.segments.entries()) {
    if ((await segmentId(segment, chain.sharedData)) !== segment.id) {
      throw mismatch(`chain.json: the id of segment ${at} does not fit its files`);
    }
  }
  if ((await chainHash(chain)) !== chain.chain)
    throw mismatch("chain.json: the chain's hash does not fit its segments");
}

async function withBytes(files: ChainFileSource, wanted: ManifestFile): Promise<{ file: string; bytes: Uint8Array }> {
  return { file: wanted.file, bytes: await checkedFile(files, wanted) };
}

async function checkedFile(files: ChainFileSource, wanted: ManifestFile): Promise<Uint8Array> {
  const bytes = await files.read(wanted.file);
  const found = bytes.byteLength === wanted.bytes ? await digestOf(bytes) : `${bytes.byteLength} bytes`;
  if (found !== wanted.sha256) throw mismatch(`${wanted.file} is not the file that chain.json names`);
  return bytes;
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new KerfError('BACKEND_UNAVAILABLE', 'hashes need a secure context: serve the page over https');
  }
  return await sha256Hex(bytes);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', `chain.json is not JSON: ${messageOf(cause)}`, { cause });
  }
}

function mismatch(what: string): KerfError {
  return new KerfError('PAIR_MISMATCH', `${what}; make the chain again`);
}
