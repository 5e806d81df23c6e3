// Files that a publisher sends -> which of them are manifests, whether what they name is here, and whether a path may be one.
import { createHash } from 'node:crypto';
import { parseReleaseManifest, type ReleaseManifest } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { type BlobStore, blobKey, deltaKey } from '../blobs/blob-store.ts';
import { one, type Sql } from '../store/database.ts';
import type { RepositoryFile } from './repository-files.ts';

/** A file as it is sent. */
export interface SentFile {
  readonly path: string;
  readonly base64: string;
}

const METADATA = /^metadata\/(timestamp|[1-9]\d{0,9}\.[a-z0-9][a-z0-9._-]{0,63})\.json$/;
const TARGET = /^targets\/[a-z0-9][a-z0-9._-]{0,63}\/([0-9a-f]{64})\.[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\.json$/;
export const TIMESTAMP = 'metadata/timestamp.json';

/** What a publication is made of, by path, and its manifests by their release id. */
export interface Publication {
  readonly files: ReadonlyMap<string, RepositoryFile>;
  readonly manifests: ReadonlyMap<string, ReleaseManifest>;
}

/** @throws {KerfError} INVALID_ARGUMENT, RELEASE_INVALID. */
export function readPublication(sent: readonly SentFile[]): Publication {
  const files = new Map<string, RepositoryFile>();
  const manifests = new Map<string, ReleaseManifest>();
  for (const { path, base64 } of sent) {
    const target = TARGET.exec(path);
    if (target === null && !METADATA.test(path)) {
      throw new KerfError('INVALID_ARGUMENT', `'${path}' is no path of metadata or of a manifest`);
    }
    if (files.has(path)) throw new KerfError('INVALID_ARGUMENT', `'${path}' is sent twice`);
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    files.set(path, { path, bytes, sha256 });
    if (target === null) continue;
    if (target[1] !== sha256) throw new KerfError('INVALID_ARGUMENT', `'${path}' has other bytes than its name says`);
    manifests.set(sha256, parseReleaseManifest(bytes));
  }
  return { files, manifests };
}

/**
 * Everything that a manifest vouches for is there before devices hear of it.
 * @throws {KerfError} CONFLICT with the missing hashes in its details.
 */
export async function requireContent(
  sql: Sql,
  blobs: BlobStore,
  manifests: ReadonlyMap<string, ReleaseManifest>,
): Promise<void> {
  const missingBlobs = new Set<string>();
  const missingDeltas = new Set<string>();
  for (const { files } of manifests.values()) {
    for (const { sha256, bytes, deltas } of files) {
      if ((await blobs.stat(blobKey(sha256)))?.bytes !== bytes) missingBlobs.add(sha256);
      for (const { base, indexSha256 } of deltas) {
        const from = base ?? 'none';
        if (!(await hasDelta(sql, from, sha256, indexSha256))) missingDeltas.add(deltaKey(from, sha256));
      }
    }
  }
  if (missingBlobs.size + missingDeltas.size === 0) return;
  const most = 100;
  throw new KerfError(
    'CONFLICT',
    `${missingBlobs.size} blobs and ${missingDeltas.size} deltas that the manifests name are not here: send them first`,
    { details: { blobs: [...missingBlobs].slice(0, most), deltas: [...missingDeltas].slice(0, most) } },
  );
}

async function hasDelta(sql: Sql, from: string, to: string, indexSha256: string): Promise<boolean> {
  const row = await one<{ index_sha256: string | null }>(
    sql,
    "SELECT index_sha256 FROM deltas WHERE from_sha256 = $1 AND to_sha256 = $2 AND state = 'ready'",
    [from, to],
  );
  return row?.index_sha256 === indexSha256;
}
