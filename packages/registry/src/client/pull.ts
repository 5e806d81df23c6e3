// The registry -> a repository in a folder: verified metadata, manifests, and the files of the latest releases, so that the next
// release can be published on top of what others have published.
import { createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type MetadataSource,
  type MetadataStore,
  parseReleaseManifest,
  REPOSITORY_PATHS,
  sha256Hex,
  type TrustedRelease,
  updateTrust,
} from '@kerf/delta-sync';
import { makeFoldersTo } from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { checkedSource } from '../blobs/checked-source.ts';
import { fromItsRoot, isForked, isUnpushed } from './forked.ts';
import type { RegistryClient } from './registry-client.ts';

export interface PullOptions {
  readonly client: RegistryClient;
  /** Folder of the repository; made when it is not there. */
  readonly repository: string;
  /** What the publisher trusts; holds `root.json`. */
  readonly store: MetadataStore;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Of each model, how many of its latest releases come with their files. @default 2: deltas are made from them */
  readonly withFiles?: number;
  readonly onStep?: (what: string) => void;
}

export interface PullReport {
  readonly metadataFiles: number;
  readonly releases: number;
  readonly fetchedBytes: number;
}

const TIMESTAMP = REPOSITORY_PATHS.metadata('timestamp', 1);
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** @throws {KerfError} what trust refuses, CONTENT_MISMATCH, REGISTRY_UNREACHABLE. */
export async function pullRepository(options: PullOptions): Promise<PullReport> {
  const { client, repository, store, nowMs, withFiles = 2, onStep = () => {} } = options;
  await makeFolders(repository);
  const files = new Map<string, Uint8Array>();
  const source = registrySource(client, files);
  const isVoid = await isForked(registrySource(client, new Map()), repository);
  const trusted = await updateTrust({ source, store: isVoid ? fromItsRoot(store) : store, nowMs }).catch(
    async (error: unknown) => {
      const isRollback = KerfError.is(error) && error.code === 'ROLLBACK_REFUSED';
      throw isRollback && (await isUnpushed(store, repository)) ? notPushed(error) : error;
    },
  );
  await fetchOlderRoots(source, trusted.metadata.root.version);
  let [releases, fetchedBytes] = [0, 0];
  for (const name of trusted.names()) {
    const list = await trusted.releases(name);
    for (const [at, release] of list.entries()) {
      const bytes = await manifestOf(source, release);
      releases += 1;
      if (at < list.length - withFiles) continue;
      for (const file of parseReleaseManifest(bytes).files) {
        onStep(`${name} ${release.version}: ${file.name}`);
        fetchedBytes += await fetchBlob(client, repository, file.sha256, file.bytes);
      }
    }
  }
  // What is wanted but was kept by the store, and so not asked for again.
  await fetchKept(
    source,
    trusted.metadata.timestamp?.snapshot.version ?? 0,
    trusted.metadata.snapshot?.meta ?? new Map(),
  );
  await writeMetadata(repository, files);
  return { metadataFiles: files.size, releases, fetchedBytes };
}

function notPushed(cause: KerfError): KerfError {
  return new KerfError(
    'ROLLBACK_REFUSED',
    'the folder holds what the registry has not seen, or has lost: kerf registry push sends it',
    { cause },
  );
}

/** What was read, kept for the folder. */
function registrySource(client: RegistryClient, files: Map<string, Uint8Array>): MetadataSource {
  return {
    async fetchFile(file, maxBytes) {
      const body = await client.download(file);
      if (body === null) return null;
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body) {
        bytes += (chunk as Buffer).byteLength;
        if (bytes > maxBytes) throw new KerfError('CONTENT_MISMATCH', `'${file}' has more than ${maxBytes} bytes`);
        chunks.push(chunk as Buffer);
      }
      const whole = new Uint8Array(Buffer.concat(chunks));
      files.set(file, whole);
      return whole;
    },
  };
}

async function fetchOlderRoots(source: MetadataSource, version: number): Promise<void> {
  for (let at = 1; at <= version; at++) {
    await source.fetchFile(REPOSITORY_PATHS.metadata('root', at), MAX_MANIFEST_BYTES);
  }
}

async function fetchKept(
  source: MetadataSource,
  snapshot: number,
  meta: ReadonlyMap<string, { readonly version: number }>,
): Promise<void> {
  await source.fetchFile(REPOSITORY_PATHS.metadata('snapshot', snapshot), MAX_MANIFEST_BYTES);
  for (const [file, { version }] of meta) {
    await source.fetchFile(REPOSITORY_PATHS.metadata(file.replace(/\.json$/, ''), version), 64 * 1024 * 1024);
  }
}

async function manifestOf(source: MetadataSource, release: TrustedRelease): Promise<Uint8Array> {
  const file = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
  const bytes = await source.fetchFile(file, release.length);
  if (bytes === null || (await sha256Hex(bytes)) !== release.sha256) {
    throw new KerfError('CONTENT_MISMATCH', `the registry has not the '${file}' that was signed for`);
  }
  return bytes;
}

/** @returns bytes fetched: none when it is there. */
async function fetchBlob(client: RegistryClient, repository: string, sha256: string, bytes: number): Promise<number> {
  const file = path.join(repository, REPOSITORY_PATHS.blob(sha256));
  if ((await stat(file).catch(() => null))?.size === bytes) return 0;
  const body = await client.download(REPOSITORY_PATHS.blob(sha256));
  if (body === null) throw new KerfError('CONTENT_MISMATCH', `the registry has not the blob ${sha256}`);
  await makeFoldersTo(repository, file);
  const temporary = `${file}.${process.pid}.part`;
  try {
    await pipeline(checkedSource(body, { bytes, sha256 }), createWriteStream(temporary, { flush: true }));
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw KerfError.from(cause, 'REGISTRY_UNREACHABLE', `the blob ${sha256} was broken off`);
  }
  return bytes;
}

/** The timestamp last: until then the folder is what it was. */
async function writeMetadata(repository: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const order = [...files].sort(([a], [b]) => Number(a === TIMESTAMP) - Number(b === TIMESTAMP));
  for (const [name, bytes] of order) {
    const file = path.join(repository, name);
    await makeFoldersTo(repository, file);
    const temporary = `${file}.${process.pid}.part`;
    await writeFile(temporary, bytes, { flush: true } as object);
    await rename(temporary, file);
  }
}
