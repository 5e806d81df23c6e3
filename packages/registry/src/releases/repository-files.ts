// TUF metadata and manifests <-> rows. What lies below `trusted/` is what the registry itself has verified, and is not served.
import { one, type Sql } from '../store/database.ts';

export interface RepositoryFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export const TRUSTED = 'trusted/';

export function repositoryFile(sql: Sql, path: string): Promise<RepositoryFile | null> {
  return one<RepositoryFile>(sql, 'SELECT path, bytes, sha256 FROM repository_files WHERE path = $1', [path]);
}

/** Replaces a file of this path: callers say which may be. */
export async function putRepositoryFile(sql: Sql, file: RepositoryFile, nowMs: number): Promise<void> {
  await sql.all(
    `INSERT INTO repository_files (path, bytes, sha256, published_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (path) DO UPDATE SET bytes = $2, sha256 = $3, published_at = $4`,
    [file.path, file.bytes, file.sha256, nowMs],
  );
}
