// A database with releases and devices in it, for suites that begin behind publishing and enrolling.
import { createHash } from 'node:crypto';
import type { RegistryContext } from '../src/context.ts';
import { deviceRow } from '../src/fleet/devices.ts';
import { writeTags } from '../src/fleet/tags.ts';
import { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from '../src/options.ts';
import type { Database, Sql } from '../src/store/database.ts';

export interface TestClock {
  nowMs: number;
}

/** A context whose time is `clock` and whose ids count up. */
export function testContext(
  database: Database,
  clock: TestClock,
  limits: Partial<RegistryLimits> = {},
): RegistryContext {
  let ids = 0;
  return {
    database,
    limits: { ...DEFAULT_REGISTRY_LIMITS, ...limits },
    wallNowMs: () => clock.nowMs,
    newId: () => `id-${++ids}`,
  };
}

/** A release without files. @returns its id */
export async function putRelease(database: Database, name: string, version: string): Promise<string> {
  const id = createHash('sha256').update(`${name} ${version}`).digest('hex');
  const path = `targets/${name}/${id}.${version}.json`;
  await database.transaction(async (sql) => {
    await sql.all('INSERT INTO repository_files (path, bytes, sha256, published_at) VALUES ($1, $2, $3, 0)', [
      path,
      new Uint8Array(1),
      id,
    ]);
    await sql.all(
      `INSERT INTO releases (id, name, version, sequence, manifest_path, published_at, published_by)
       VALUES ($1, $2, $3, 1, $4, 0, 'test')`,
      [id, name, version, path],
    );
  });
  return id;
}

export async function putDevices(
  database: Database,
  ids: readonly string[],
  tags: { groups?: string[]; labels?: Record<string, string> } = {},
  enrolledAt = 0,
): Promise<void> {
  await database.transaction(async (sql) => {
    for (const id of ids) {
      await sql.all("INSERT INTO devices (id, credential_sha256, retired, enrolled_at) VALUES ($1, 'x', 0, $2)", [
        id,
        enrolledAt,
      ]);
    }
    for (const id of ids.slice(0, tags.groups === undefined && tags.labels === undefined ? 1 : ids.length)) {
      await writeTags(sql, id, tags);
    }
  });
}

export async function rowOf(sql: Sql, id: string): Promise<NonNullable<Awaited<ReturnType<typeof deviceRow>>>> {
  const row = await deviceRow(sql, id);
  if (row === null) throw new Error(`no device ${id}`);
  return row;
}
