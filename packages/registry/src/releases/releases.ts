// Releases as they are listed and shown.
import { parseReleaseManifest, type ReleaseManifest } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { one, type Sql } from '../store/database.ts';
import { repositoryFile } from './repository-files.ts';

export interface ReleaseRow {
  /** SHA-256 of the manifest. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  readonly manifestPath: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  readonly publishedBy: string;
}

const COLUMNS = `id, name, version, sequence, manifest_path AS "manifestPath", published_at AS "publishedAt",
  published_by AS "publishedBy"`;

/** In the order of their ids. */
export function listReleases(sql: Sql, name: string | null, after: string, limit: number): Promise<ReleaseRow[]> {
  return sql.all<ReleaseRow>(
    `SELECT ${COLUMNS} FROM releases WHERE id > $1 AND ($2 = '' OR name = $2) ORDER BY id LIMIT $3`,
    [after, name ?? '', limit],
  );
}

/** @throws {KerfError} NOT_FOUND. */
export async function readRelease(sql: Sql, id: string): Promise<ReleaseRow> {
  const row = await one<ReleaseRow>(sql, `SELECT ${COLUMNS} FROM releases WHERE id = $1`, [id]);
  if (row === null) throw new KerfError('NOT_FOUND', `there is no release ${id}`);
  return row;
}

/** @throws {KerfError} NOT_FOUND. */
export async function readManifest(sql: Sql, id: string): Promise<ReleaseManifest> {
  const { manifestPath } = await readRelease(sql, id);
  const file = await repositoryFile(sql, manifestPath);
  if (file === null) throw new KerfError('INTERNAL', `the manifest of release ${id} is gone`);
  return parseReleaseManifest(file.bytes);
}
