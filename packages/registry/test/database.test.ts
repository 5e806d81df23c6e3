// One suite for both engines: what the registry relies on.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendAudit, auditEntries } from '../src/audit/log.ts';
import { type Database, one } from '../src/store/database.ts';
import { getMeta, migrate, SCHEMA_VERSION, setMeta } from '../src/store/migrations.ts';
import { openPostgresql } from '../src/store/postgresql.ts';
import { TEST_ENGINES, type TestDatabase } from './databases.ts';

test('an address that is none of PostgreSQL is refused before anybody is asked', async () => {
  const opened = openPostgresql({ url: 'registry.db' });
  await expect(opened).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('use postgresql:') as string,
  });
});

describe.each(TEST_ENGINES)('$name', ({ missing, make }) => {
  const it = test.skipIf(missing !== null);
  let place: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    if (missing !== null) return;
    place = await make();
    database = await place.open();
    await migrate(database);
  });

  afterAll(async () => {
    if (missing !== null) return;
    await database.close();
    await place.remove();
  });

  it('migrates once, also when two start together', async () => {
    const other = await place.open();
    await Promise.all([migrate(database), migrate(other)]);
    expect(await getMeta(database, 'schema')).toBe(String(SCHEMA_VERSION));
    await other.close();
  });

  it('refuses a database of a newer kerf', async () => {
    await database.transaction((sql) => setMeta(sql, 'schema', '999'));
    await expect(migrate(database)).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' });
    await database.transaction((sql) => setMeta(sql, 'schema', String(SCHEMA_VERSION)));
  });

  it('keeps text, numbers up to 2^53, bytes and nothing', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const at = Number.MAX_SAFE_INTEGER;
    const path = "o'clock \u0000 日本 $1".replace('\u0000', '');
    await database.transaction((sql) =>
      sql.all('INSERT INTO repository_files (path, bytes, sha256, published_at) VALUES ($1, $2, $3, $4)', [
        path,
        bytes,
        'x',
        at,
      ]),
    );
    const row = await one(database, 'SELECT * FROM repository_files WHERE path = $1', [path]);
    expect({ ...row, bytes: [...((row ?? {})['bytes'] as Uint8Array)] }).toEqual({
      path,
      bytes: [...bytes],
      sha256: 'x',
      published_at: at,
    });
    expect(await one(database, 'SELECT count(*) AS n FROM repository_files')).toEqual({ n: 1 });
    await database.transaction((sql) =>
      sql.all(
        'INSERT INTO devices (id, credential_sha256, retired, enrolled_at, last_seen_at) VALUES ($1, $2, 0, 1, $3)',
        ['d', 'x', null],
      ),
    );
    expect((await one(database, "SELECT last_seen_at FROM devices WHERE id = 'd'"))?.['last_seen_at']).toBeNull();
  });

  it('writes nothing of a transaction that throws', async () => {
    const failure = database.transaction(async (sql) => {
      await setMeta(sql, 'half', 'written');
      throw new Error('no');
    });
    await expect(failure).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(await getMeta(database, 'half')).toBeNull();
    await expect(database.all('SELECT nonsense FROM nowhere')).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });

  it('runs transactions one at a time, over several connections', async () => {
    const others = await Promise.all([place.open(), place.open()]);
    const all = [database, ...others];
    await database.transaction((sql) => setMeta(sql, 'count', '0'));
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        (all[at % all.length] as Database).transaction(async (sql) => {
          const count = Number(await getMeta(sql, 'count'));
          await new Promise((resolve) => setImmediate(resolve));
          await setMeta(sql, 'count', String(count + 1));
          await appendAudit(sql, { actor: 'a', action: 'counted', subject: String(at), detail: {} }, at);
        }),
      ),
    );
    expect(await getMeta(database, 'count')).toBe('30');
    const entries = await auditEntries(database, 0, 100);
    expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    await Promise.all(others.map((other) => other.close()));
  });
});
