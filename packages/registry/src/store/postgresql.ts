// A connection string -> the same database on a PostgreSQL server, shared by any number of registries.
import { KerfError, messageOf } from '@kerf/protocol';
import pg from 'pg';
import type { Database, Sql, SqlValue } from './database.ts';

/** Connections of one registry. Writers wait for each other anyway. */
const MAX_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Names the lock that makes transactions take turns, within one schema. */
const LOCK_SPACE = 0x6b65;
const SAFE_SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

export interface PostgresqlOptions {
  /** `postgresql://user@host:5432/database`. */
  readonly url: string;
  /** Made when it is not there. @default 'kerf' */
  readonly schema?: string;
}

/** @throws {KerfError} STORE_FAILED when the server does not answer, INVALID_ARGUMENT. */
export async function openPostgresql({ url, schema = 'kerf' }: PostgresqlOptions): Promise<Database> {
  if (!SAFE_SCHEMA.test(schema)) {
    throw new KerfError('INVALID_ARGUMENT', `'${schema}' is no name for a schema; use a-z, 0-9 and _`);
  }
  if (!/^(postgres(ql)?:\/\/|socket:|\/)/.test(url)) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${url}' is no address of a database; use postgresql://USER@HOST:5432/NAME`,
    );
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'kerf-registry',
    options: `-c search_path=${schema} -c synchronous_commit=on`,
    types: { getTypeParser },
  });
  // A connection that breaks while nobody uses it; the next query opens another.
  pool.on('error', () => {});
  try {
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  } catch (cause) {
    await pool.end();
    throw failed(cause);
  }
  return {
    engine: 'postgresql',
    ...sqlOf(pool),
    transaction: (work) => inTransaction(pool, schema, work),
    close: () => pool.end(),
  };
}

/** bigint and count(*) as numbers: none of ours passes 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text') =>
  oid === 20 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

function sqlOf(client: Pick<pg.ClientBase, 'query'> | pg.Pool): Sql {
  return {
    async all<R>(text: string, values: readonly SqlValue[] = []) {
      try {
        const given = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
        const result = await client.query(text, given);
        return result.rows as R[];
      } catch (cause) {
        throw failed(cause);
      }
    },
  };
}

async function inTransaction<T>(pool: pg.Pool, schema: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (cause) {
    throw failed(cause);
  }
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    // Held until the end of the transaction: the audit log is a chain, so writers go one at a time as they do embedded.
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_SPACE, schema]);
    const result = await work(sqlOf(client));
    await client.query('COMMIT');
    return result;
  } catch (cause) {
    await client.query('ROLLBACK').catch((error: unknown) => {
      broken = error instanceof Error ? error : new Error(messageOf(error));
    });
    throw failed(cause);
  } finally {
    client.release(broken);
  }
}

/** The server's message names tables and values of ours, never a password. */
function failed(cause: unknown): KerfError {
  return KerfError.from(cause, 'STORE_FAILED', `the registry's database failed: ${messageOf(cause)}`);
}
