// A file -> a database inside this process (SQLite as libsql builds it): every commit is flushed before it counts.
import path from 'node:path';
import { KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import SqliteDatabase from 'libsql';
import type { Database, Sql, SqlValue } from './database.ts';
import { Turn } from './turn.ts';

/** A second process on the same file is waited for this long, without blocking the thread. */
const BUSY_TIMEOUT_MS = 10_000;
const BUSY_PAUSE_MS = 5;
/** A reader waits only while another process recovers the log. */
const READER_TIMEOUT_MS = 1000;
/** Statements kept ready; the registry has fewer. */
const MAX_STATEMENTS = 256;

export interface EmbeddedOptions {
  /** The file; `-wal` and `-shm` lie beside it while it is open. */
  readonly file: string;
  /** False: a power failure may take the last commits (never half of one). For simulations. @default true */
  readonly flushed?: boolean;
}

/** @throws {KerfError} STORE_FAILED when the file is no database, or cannot be made. */
export async function openEmbedded({ file, flushed = true }: EmbeddedOptions): Promise<Database> {
  try {
    await makeFolders(path.dirname(file), 0o700);
    const reader = connect(file, flushed, READER_TIMEOUT_MS);
    const writer = connect(file, flushed, 0);
    const turn = new Turn();
    return {
      engine: 'embedded',
      all: (text, values) => reader.all(text, values),
      transaction: (work) => turn.take(() => inTransaction(writer, work)),
      close: () =>
        turn.take(async () => {
          reader.close();
          writer.close();
        }),
    };
  } catch (cause) {
    throw failed(cause);
  }
}

/** As much of a statement as is used; the library's own type knows no spread arguments. */
interface Statement {
  readonly reader: boolean;
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

interface Connection extends Sql {
  exec(text: string): void;
  close(): void;
}

function connect(file: string, flushed: boolean, timeoutMs: number): Connection {
  const database = new SqliteDatabase(file);
  database.exec(`PRAGMA busy_timeout = ${READER_TIMEOUT_MS}`);
  database.exec('PRAGMA journal_mode = WAL');
  // In WAL mode FULL flushes the log at each commit; NORMAL would leave the last ones to the next checkpoint.
  database.exec(`PRAGMA synchronous = ${flushed ? 'FULL' : 'OFF'}`);
  database.exec('PRAGMA foreign_keys = ON');
  database.exec(`PRAGMA busy_timeout = ${timeoutMs}`);
  const statements = new Map<string, Statement>();
  const prepared = (text: string): Statement => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    if (statements.size >= MAX_STATEMENTS) statements.clear();
    const made: Statement = database.prepare(text.replaceAll(/\$(\d+)/g, '?$1'));
    statements.set(text, made);
    return made;
  };
  return {
    async all<R>(text: string, values: readonly SqlValue[] = []) {
      try {
        const statement = prepared(text);
        const given = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
        if (!statement.reader) {
          statement.run(...given);
          return [];
        }
        return statement.all(...given).map((row) => plainRow(row as Record<string, unknown>)) as R[];
      } catch (cause) {
        throw failed(cause);
      }
    },
    exec: (text) => void database.exec(text),
    close: () => void database.close(),
  };
}

/** Blobs come as ArrayBuffer. */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  for (const key of Object.keys(row)) {
    const value = row[key];
    if (value instanceof ArrayBuffer) row[key] = new Uint8Array(value);
  }
  return row;
}

async function inTransaction<T>(connection: Connection, work: (sql: Sql) => Promise<T>): Promise<T> {
  await begin(connection);
  try {
    const result = await work(connection);
    connection.exec('COMMIT');
    return result;
  } catch (cause) {
    rollBack(connection);
    throw KerfError.is(cause) ? cause : failed(cause);
  }
}

/** Takes the file's write lock. */
async function begin(connection: Connection): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
    try {
      connection.exec('BEGIN IMMEDIATE');
      return;
    } catch (cause) {
      if ((cause as { code?: string }).code !== 'SQLITE_BUSY' || waitedMs >= BUSY_TIMEOUT_MS) throw failed(cause);
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}

/** After a full disk SQLite may have rolled back already. */
function rollBack(connection: Connection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {}
}

function failed(cause: unknown): KerfError {
  return KerfError.from(cause, 'STORE_FAILED', `the registry's database failed: ${messageOf(cause)}`);
}
