// Groups and labels of devices <-> rows; every change moves the fleet's revision, so that counts know when they are old.

import type { Sql } from '../store/database.ts';
import { getMeta, setMeta } from '../store/migrations.ts';

export interface DeviceTags {
  readonly groups: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Replaces what is given. */
export async function writeTags(sql: Sql, deviceId: string, tags: Partial<DeviceTags>): Promise<void> {
  if (tags.groups !== undefined) {
    await sql.all('DELETE FROM device_groups WHERE device_id = $1', [deviceId]);
    for (const name of new Set(tags.groups)) {
      await sql.all('INSERT INTO device_groups (device_id, name) VALUES ($1, $2)', [deviceId, name]);
    }
  }
  if (tags.labels !== undefined) {
    await sql.all('DELETE FROM device_labels WHERE device_id = $1', [deviceId]);
    for (const [key, value] of Object.entries(tags.labels)) {
      await sql.all('INSERT INTO device_labels (device_id, key, value) VALUES ($1, $2, $3)', [deviceId, key, value]);
    }
  }
  await touchFleet(sql);
}

export async function tagsOf(sql: Sql, deviceId: string): Promise<DeviceTags> {
  const groups = await sql.all<{ name: string }>('SELECT name FROM device_groups WHERE device_id = $1 ORDER BY name', [
    deviceId,
  ]);
  const labels = await sql.all<{ key: string; value: string }>(
    'SELECT key, value FROM device_labels WHERE device_id = $1 ORDER BY key',
    [deviceId],
  );
  return {
    groups: groups.map(({ name }) => name),
    labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])),
  };
}

/** Says that devices came, went, or changed their tags. */
export async function touchFleet(sql: Sql): Promise<void> {
  await setMeta(sql, 'fleet', String((await fleetRevision(sql)) + 1));
}

export async function fleetRevision(sql: Sql): Promise<number> {
  return Number((await getMeta(sql, 'fleet')) ?? 0);
}
