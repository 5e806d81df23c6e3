// A publication -> verified metadata and new releases, all in one transaction, or a refusal and nothing changed.
// The registry holds no key that signs: it follows the client workflow of TUF as a device does, over what is here and what was
// sent, and takes what a device would take.
import { createHash } from 'node:crypto';
import {
  type MetadataSource,
  type MetadataStore,
  parseMetadata,
  REPOSITORY_PATHS,
  type ReleaseManifest,
  type TrustedRelease,
  updateTrust,
} from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { appendAudit } from '../audit/log.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import { type Database, one, type Sql } from '../store/database.ts';
import { getMeta, setMeta } from '../store/migrations.ts';
import { type Publication, readPublication, requireContent, type SentFile, TIMESTAMP } from './publication.ts';
import { putRepositoryFile, type RepositoryFile, repositoryFile, TRUSTED } from './repository-files.ts';

export interface PublishedRelease {
  /** SHA-256 of the manifest. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

export interface PublicationReport {
  /** Of timestamp.json. */
  readonly version: number;
  /** New ones. */
  readonly releases: readonly PublishedRelease[];
}

const ROOT = 'root.json';
/** Meta key: hash of the root that trust began with. */
const FIRST_ROOT = 'first-root';

/**
 * @throws {KerfError} CONFLICT when another publisher was first, or blobs are missing; TRUST_FAILED, ROLLBACK_REFUSED,
 *   METADATA_EXPIRED, RELEASE_INVALID, INVALID_ARGUMENT.
 */
export async function publish(
  { database, wallNowMs }: RegistryContext,
  blobs: BlobStore,
  actor: string,
  sent: readonly SentFile[],
): Promise<PublicationReport> {
  const publication = readPublication(sent);
  await requireContent(database, blobs, publication.manifests);
  return database.transaction(async (sql) => {
    const nowMs = wallNowMs();
    const news = await newFiles(sql, publication);
    await trustFirstRoot(sql, news, actor, nowMs);
    const fetched = new Set<string>();
    const repository = await updateTrust({
      source: overlay(sql, news, fetched),
      store: trustedStore(sql, nowMs),
      nowMs,
    });
    await requireTimestamp(sql, news);
    const releases: PublishedRelease[] = [];
    for (const name of repository.names()) {
      for (const release of await repository.releases(name)) {
        if ((await one(sql, 'SELECT id FROM releases WHERE id = $1', [release.sha256])) !== null) continue;
        const path = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
        const file = news.get(path);
        const manifest = publication.manifests.get(release.sha256);
        if (file === undefined || manifest === undefined) {
          throw new KerfError('INVALID_ARGUMENT', `the manifest '${path}' that the metadata names was not sent`);
        }
        fetched.add(path);
        await putRepositoryFile(sql, file, nowMs);
        releases.push(await insertRelease(sql, release, manifest, path, actor, nowMs));
      }
    }
    refuseUnused(news, fetched);
    for (const file of news.values()) if (file.path.startsWith('metadata/')) await putRepositoryFile(sql, file, nowMs);
    const version = repository.metadata.timestamp?.version ?? 0;
    if (news.size > 0) {
      const detail = { timestamp: version, root: repository.metadata.root.version, files: news.size };
      await appendAudit(sql, { actor, action: 'repository.published', subject: String(version), detail }, nowMs);
    }
    return { version, releases };
  });
}

/** What is here already, byte for byte, is left out: a publisher may send the same twice. */
async function newFiles(sql: Sql, { files }: Publication): Promise<Map<string, RepositoryFile>> {
  const news = new Map<string, RepositoryFile>();
  for (const file of files.values()) {
    const known = await repositoryFile(sql, file.path);
    if (known?.sha256 === file.sha256) continue;
    if (known !== null && file.path !== TIMESTAMP) throw firstCome(file.path);
    news.set(file.path, file);
  }
  return news;
}

function firstCome(path: string): KerfError {
  return new KerfError(
    'CONFLICT',
    `'${path}' is here with other bytes: another publisher was first. Pull what is here, and publish again on top of it`,
  );
}

/**
 * Begins trust with a root that an operator vouches for. Trust that has begun stays as it is.
 * @throws {KerfError} TRUST_FAILED for what is no root, CONFLICT when trust began with another one.
 */
export async function pinFirstRoot(database: Database, root: Uint8Array, nowMs: number): Promise<void> {
  parseMetadata('root', root, ROOT);
  const sha256 = createHash('sha256').update(root).digest('hex');
  await database.transaction(async (sql) => {
    const known = await getMeta(sql, FIRST_ROOT);
    if (known === sha256) return;
    if (known !== null) {
      throw new KerfError('CONFLICT', 'this registry trusts another root already: start it without --root');
    }
    await begin(sql, { path: ROOT, bytes: root, sha256 }, 'registry', nowMs);
  });
}

async function begin(sql: Sql, root: RepositoryFile, actor: string, nowMs: number): Promise<void> {
  await putRepositoryFile(sql, { ...root, path: TRUSTED + ROOT }, nowMs);
  await setMeta(sql, FIRST_ROOT, root.sha256);
  await appendAudit(sql, { actor, action: 'trust.first-root', subject: root.sha256, detail: {} }, nowMs);
}

/** Where an operator gave no root, the first one that is published is believed, and that is written down. */
async function trustFirstRoot(
  sql: Sql,
  news: ReadonlyMap<string, RepositoryFile>,
  actor: string,
  nowMs: number,
): Promise<void> {
  if ((await repositoryFile(sql, TRUSTED + ROOT)) !== null) return;
  const first = news.get(REPOSITORY_PATHS.metadata('root', 1));
  if (first === undefined) {
    throw new KerfError('TRUST_FAILED', 'the registry has no root of trust yet: send metadata/1.root.json as well');
  }
  await begin(sql, first, actor, nowMs);
}

/** What was sent, else what is here. The first root's own file is one that nobody asks for. */
function overlay(sql: Sql, news: ReadonlyMap<string, RepositoryFile>, fetched: Set<string>): MetadataSource {
  fetched.add(REPOSITORY_PATHS.metadata('root', 1));
  return {
    async fetchFile(path, maxBytes) {
      const file = news.get(path) ?? (await repositoryFile(sql, path));
      fetched.add(path);
      if (file === null) return null;
      if (file.bytes.byteLength > maxBytes) throw new KerfError('MESSAGE_TOO_LARGE', `'${path}' is too long`);
      return file.bytes;
    },
  };
}

function trustedStore(sql: Sql, nowMs: number): MetadataStore {
  return {
    read: async (name) => (await repositoryFile(sql, TRUSTED + name))?.bytes ?? null,
    write: (name, bytes) => putRepositoryFile(sql, { path: TRUSTED + name, bytes, sha256: '' }, nowMs),
  };
}

/** A timestamp of the version that is trusted already is no news to TUF: here it is a second publisher. */
async function requireTimestamp(sql: Sql, news: ReadonlyMap<string, RepositoryFile>): Promise<void> {
  const sent = news.get(TIMESTAMP);
  if (sent === undefined) return;
  const trusted = await repositoryFile(sql, `${TRUSTED}timestamp.json`);
  if (trusted === null || Buffer.compare(trusted.bytes, sent.bytes) !== 0) throw firstCome(TIMESTAMP);
}

function refuseUnused(news: ReadonlyMap<string, RepositoryFile>, used: ReadonlySet<string>): void {
  const stray = [...news.keys()].find((path) => !used.has(path));
  if (stray !== undefined) {
    throw new KerfError('INVALID_ARGUMENT', `'${stray}' is not signed for by the metadata that was sent: leave it out`);
  }
}

async function insertRelease(
  sql: Sql,
  { sha256: id, name, version }: TrustedRelease,
  manifest: ReleaseManifest,
  path: string,
  actor: string,
  nowMs: number,
): Promise<PublishedRelease> {
  if (manifest.name !== name || manifest.version !== version) {
    throw new KerfError('RELEASE_INVALID', `'${path}' is the manifest of ${manifest.name} ${manifest.version}`);
  }
  await sql.all(
    `INSERT INTO releases (id, name, version, sequence, manifest_path, published_at, published_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, name, version, manifest.sequence, path, nowMs, actor],
  );
  for (const file of manifest.files) {
    await sql.all('INSERT INTO release_files (release_id, name, sha256, bytes, role) VALUES ($1, $2, $3, $4, $5)', [
      id,
      file.name,
      file.sha256,
      file.bytes,
      file.role,
    ]);
  }
  const detail = { name, version, sequence: manifest.sequence };
  await appendAudit(sql, { actor, action: 'release.published', subject: id, detail }, nowMs);
  return { id, name, version };
}
