// An empty or older database -> one with the newest schema, in one transaction.
import { KerfError } from '@kerf/protocol';
import { type Database, one, type Sql } from './database.ts';
import { SCHEMA_1 } from './schema.ts';

/** Each entry is applied once, in order, and never changed after it has shipped. */
const MIGRATIONS: readonly (readonly string[])[] = [SCHEMA_1];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** @throws {KerfError} VERSION_UNSUPPORTED for a database that a newer kerf has written. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.all('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const version = await schemaVersion(sql);
    if (version > SCHEMA_VERSION) {
      throw new KerfError(
        'VERSION_UNSUPPORTED',
        `the registry's database has schema ${version}, this kerf knows ${SCHEMA_VERSION}: use the newer kerf`,
      );
    }
    for (const statements of MIGRATIONS.slice(version)) {
      for (const statement of statements) await sql.all(statement);
    }
    await setMeta(sql, 'schema', String(SCHEMA_VERSION));
  });
}

async function schemaVersion(sql: Sql): Promise<number> {
  return Number((await getMeta(sql, 'schema')) ?? 0);
}

export async function getMeta(sql: Sql, key: string): Promise<string | null> {
  return (await one<{ value: string }>(sql, 'SELECT value FROM meta WHERE key = $1', [key]))?.value ?? null;
}

export async function setMeta(sql: Sql, key: string, value: string): Promise<void> {
  await sql.all('INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2', [
    key,
    value,
  ]);
}
