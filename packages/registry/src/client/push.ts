// A repository in a folder, published on somebody's own machine -> the registry: what it lacks, then the signed metadata.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type MetadataSource,
  type MetadataStore,
  parseReleaseManifest,
  REPOSITORY_PATHS,
  type ReleaseManifest,
  updateTrust,
} from '@kerf/delta-sync';
import { folderSource } from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import type { PublicationReport } from '../releases/publish.ts';
import type { RegistryClient } from './registry-client.ts';

export interface PushOptions {
  readonly client: RegistryClient;
  /** Folder of the repository. */
  readonly repository: string;
  readonly onStep?: (what: string) => void;
}

export interface PushReport extends PublicationReport {
  readonly sentBlobs: number;
  readonly sentDeltas: number;
  readonly sentBytes: number;
}

interface Pair {
  readonly from: string;
  readonly to: string;
}

/** Of one question about what is missing. */
const BATCH = 1000;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** @throws {KerfError} what the registry says, CONFLICT among it when another publisher was first; what is wrong in the folder. */
export async function pushRepository({ client, repository, onStep = () => {} }: PushOptions): Promise<PushReport> {
  const { files, manifests } = await readRepository(repository);
  const sent = await sendContent(client, repository, manifests, onStep);
  onStep(`publishing ${files.size} files of metadata`);
  const body = [...files].map(([file, bytes]) => ({ path: file, base64: Buffer.from(bytes).toString('base64') }));
  const report = await client.json<PublicationReport>('POST', '/v1/publications', { files: body });
  return { ...report, ...sent };
}

interface LocalRepository {
  /** Metadata and manifests that today's metadata names, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifests: readonly ReleaseManifest[];
}

/** Follows the folder's own metadata, and notes what it read. Whether it is in date is the registry's to judge. */
async function readRepository(folder: string): Promise<LocalRepository> {
  const files = new Map<string, Uint8Array>();
  const source = noting(folderSource(folder), files);
  const root = await source.fetchFile(REPOSITORY_PATHS.metadata('root', 1), MAX_MANIFEST_BYTES);
  if (root === null)
    throw new KerfError('FILE_NOT_FOUND', `'${folder}' is no repository: it has no metadata/1.root.json`);
  const trusted = await updateTrust({ source, store: memoryStore(root), nowMs: null });
  const manifests: ReleaseManifest[] = [];
  for (const name of trusted.names()) {
    for (const release of await trusted.releases(name)) {
      const file = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
      const bytes = await source.fetchFile(file, MAX_MANIFEST_BYTES);
      if (bytes === null) throw new KerfError('FILE_NOT_FOUND', `the repository lacks '${file}'`);
      manifests.push(parseReleaseManifest(bytes));
    }
  }
  return { files, manifests };
}

function noting(source: MetadataSource, files: Map<string, Uint8Array>): MetadataSource {
  return {
    async fetchFile(file, maxBytes) {
      const bytes = await source.fetchFile(file, maxBytes);
      if (bytes !== null) files.set(file, bytes);
      return bytes;
    },
  };
}

/** Trust that lasts as long as this call. */
export function memoryStore(root: Uint8Array): MetadataStore {
  const kept = new Map([['root.json', root]]);
  return {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, bytes) => void kept.set(name, bytes),
  };
}

async function sendContent(
  client: RegistryClient,
  repository: string,
  manifests: readonly ReleaseManifest[],
  onStep: (what: string) => void,
): Promise<Pick<PushReport, 'sentBlobs' | 'sentDeltas' | 'sentBytes'>> {
  const blobs = [...new Set(manifests.flatMap(({ files }) => files.map(({ sha256 }) => sha256)))];
  const pairs = new Map<string, Pair>();
  for (const { sha256: to, deltas } of manifests.flatMap(({ files }) => files)) {
    for (const { base } of deltas) pairs.set(REPOSITORY_PATHS.delta(base, to), { from: base ?? 'none', to });
  }
  let [sentBlobs, sentDeltas, sentBytes] = [0, 0, 0];
  for (const batch of batches(blobs)) {
    const missing = await missingOf(client, { blobs: batch, deltas: [] });
    for (const sha256 of missing.blobs) {
      onStep(`sending ${sha256.slice(0, 12)} (${++sentBlobs})`);
      sentBytes += await send(client, path.join(repository, REPOSITORY_PATHS.blob(sha256)), `/v1/blobs/${sha256}`);
    }
  }
  for (const batch of batches([...pairs.values()])) {
    const missing = await missingOf(client, { blobs: [], deltas: batch });
    for (const { from, to } of missing.deltas) {
      onStep(`sending a delta to ${to.slice(0, 12)} (${++sentDeltas})`);
      const file = path.join(repository, REPOSITORY_PATHS.delta(from === 'none' ? null : from, to));
      const headers = { 'x-kerf-sha256': await hashOf(file) };
      sentBytes += await send(client, file, `/v1/deltas/${from}/${to}`, headers);
    }
  }
  return { sentBlobs, sentDeltas, sentBytes };
}

interface Wanted {
  readonly blobs: readonly string[];
  readonly deltas: readonly Pair[];
}

function missingOf(client: RegistryClient, wanted: Wanted): Promise<Wanted> {
  return client.json<Wanted>('POST', '/v1/blobs/missing', wanted);
}

async function send(
  client: RegistryClient,
  file: string,
  address: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const stats = await stat(file).catch((cause: unknown) => {
    throw KerfError.from(
      cause,
      'FILE_NOT_FOUND',
      `the repository lacks '${path.basename(file)}', which a manifest names`,
    );
  });
  await client.upload(address, createReadStream(file), stats.size, headers);
  return stats.size;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

function* batches<T>(list: readonly T[]): Generator<T[]> {
  for (let at = 0; at < list.length; at += BATCH) yield list.slice(at, at + BATCH);
}
