// The databases that suites run on: embedded always, PostgreSQL where one answers.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { Database } from '../src/store/database.ts';
import { openEmbedded } from '../src/store/embedded.ts';
import { openPostgresql } from '../src/store/postgresql.ts';

export const POSTGRESQL_URL = process.env['KERF_POSTGRESQL_URL'] ?? 'postgresql://127.0.0.1:5432/test?user=postgres';

export interface TestDatabase {
  /** Another connection to the same data. */
  open(): Promise<Database>;
  remove(): Promise<void>;
}

export interface TestEngine {
  readonly name: string;
  /** Why it cannot be had here; null when it can. */
  readonly missing: string | null;
  readonly make: () => Promise<TestDatabase>;
}

const embedded: TestEngine = {
  name: 'embedded',
  missing: null,
  async make() {
    const folder = await mkdtemp(path.join(tmpdir(), 'kerf-registry-'));
    return {
      open: () => openEmbedded({ file: path.join(folder, 'registry.db') }),
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  },
};

const postgresql: TestEngine = {
  name: 'postgresql',
  missing: await reasonWithout(),
  async make() {
    const schema = `kerf_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
    return {
      open: () => openPostgresql({ url: POSTGRESQL_URL, schema }),
      async remove() {
        const client = new pg.Client(POSTGRESQL_URL);
        await client.connect();
        await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
        await client.end();
      },
    };
  },
};

async function reasonWithout(): Promise<string | null> {
  const client = new pg.Client({ connectionString: POSTGRESQL_URL, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    await client.end();
    return null;
  } catch {
    return 'no PostgreSQL answers (KERF_POSTGRESQL_URL)';
  }
}

export const TEST_ENGINES: readonly TestEngine[] = [embedded, postgresql];
