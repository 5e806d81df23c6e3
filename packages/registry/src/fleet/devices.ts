// Devices as operators see and change them: list, tags, assignment, pin, retirement, a new credential.
import { KerfError } from '@kerf/protocol';
import { appendAudit } from '../audit/log.ts';
import type { RegistryContext } from '../context.ts';
import { one, type Sql, type SqlValue } from '../store/database.ts';
import { type DeviceTags, tagsOf, touchFleet, writeTags } from './tags.ts';

/** What a device has of one model, and what is set by hand. Releases by their id. */
export interface DeviceModel {
  readonly name: string;
  readonly installed: string | null;
  readonly assigned: string | null;
  readonly pinned: string | null;
  readonly reportedAt: number | null;
}

export interface Device extends DeviceTags {
  readonly id: string;
  readonly retired: boolean;
  /** Milliseconds since 1970. */
  readonly enrolledAt: number;
  readonly lastSeenAt: number | null;
  /** What the device says of itself. */
  readonly agent: string | null;
  readonly provider: string | null;
  readonly cut: string | null;
  readonly health: Readonly<Record<string, unknown>> | null;
  readonly models: readonly DeviceModel[];
}

export interface DeviceRow {
  readonly id: string;
  readonly credential_sha256: string;
  readonly retired: number;
  readonly enrolled_at: number;
  readonly last_seen_at: number | null;
  readonly agent: string | null;
  readonly provider: string | null;
  readonly cut: string | null;
  readonly health: string | null;
}

export interface DeviceFilter {
  readonly group?: string | undefined;
  /** `KEY=VALUE`. */
  readonly label?: string | undefined;
  /** Release that is installed. */
  readonly installed?: string | undefined;
  /** Not seen since; milliseconds since 1970. */
  readonly silentSince?: number | undefined;
  /** Ids behind this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export function deviceRow(sql: Sql, id: string): Promise<DeviceRow | null> {
  return one<DeviceRow>(sql, 'SELECT * FROM devices WHERE id = $1', [id]);
}

/** @throws {KerfError} NOT_FOUND. */
export async function readDevice(sql: Sql, id: string): Promise<Device> {
  const row = await deviceRow(sql, id);
  if (row === null) throw new KerfError('NOT_FOUND', `there is no device '${id}'`);
  return deviceOf(sql, row);
}

async function deviceOf(sql: Sql, row: DeviceRow): Promise<Device> {
  return {
    id: row.id,
    ...(await tagsOf(sql, row.id)),
    retired: row.retired === 1,
    enrolledAt: row.enrolled_at,
    lastSeenAt: row.last_seen_at,
    agent: row.agent,
    provider: row.provider,
    cut: row.cut,
    health: row.health === null ? null : (JSON.parse(row.health) as Record<string, unknown>),
    models: await modelsOf(sql, row.id),
  };
}

export async function modelsOf(sql: Sql, deviceId: string): Promise<DeviceModel[]> {
  return sql.all<DeviceModel>(
    `SELECT name, installed, assigned, pinned, reported_at AS "reportedAt" FROM device_models
     WHERE device_id = $1 ORDER BY name`,
    [deviceId],
  );
}

/** In the order of their ids. */
export async function listDevices(sql: Sql, filter: DeviceFilter): Promise<Device[]> {
  const where = ['retired = 0'];
  const values: SqlValue[] = [];
  const add = (condition: (place: string) => string, value: SqlValue): void => {
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  if (filter.after !== undefined) add((at) => `id > ${at}`, filter.after);
  if (filter.group !== undefined) {
    add((at) => `id IN (SELECT device_id FROM device_groups WHERE name = ${at})`, filter.group);
  }
  if (filter.label !== undefined) {
    add((at) => `id IN (SELECT device_id FROM device_labels WHERE key || '=' || value = ${at})`, filter.label);
  }
  if (filter.installed !== undefined) {
    add((at) => `id IN (SELECT device_id FROM device_models WHERE installed = ${at})`, filter.installed);
  }
  if (filter.silentSince !== undefined) {
    add((at) => `(last_seen_at IS NULL OR last_seen_at < ${at})`, filter.silentSince);
  }
  values.push(filter.limit);
  const rows = await sql.all<DeviceRow>(
    `SELECT * FROM devices WHERE ${where.join(' AND ')} ORDER BY id LIMIT $${values.length}`,
    values,
  );
  const devices: Device[] = [];
  for (const row of rows) devices.push(await deviceOf(sql, row));
  return devices;
}

/** Replaces the tags that are given. @throws {KerfError} NOT_FOUND, INVALID_ARGUMENT. */
export async function tagDevice(
  { database, limits, wallNowMs }: RegistryContext,
  actor: string,
  id: string,
  tags: Partial<DeviceTags>,
): Promise<Device> {
  const most = Math.max(tags.groups?.length ?? 0, Object.keys(tags.labels ?? {}).length);
  if (most > limits.maxDeviceTags) {
    throw new KerfError('INVALID_ARGUMENT', `a device has at most ${limits.maxDeviceTags} groups and as many labels`);
  }
  return database.transaction(async (sql) => {
    await activeDevice(sql, id);
    await writeTags(sql, id, tags);
    await appendAudit(sql, { actor, action: 'device.tagged', subject: id, detail: { ...tags } }, wallNowMs());
    return readDevice(sql, id);
  });
}

/** The device may come no more; another one may be enrolled in its place. @throws {KerfError} NOT_FOUND, CONFLICT. */
export async function retireDevice({ database, wallNowMs }: RegistryContext, actor: string, id: string): Promise<void> {
  await database.transaction(async (sql) => {
    await activeDevice(sql, id);
    await sql.all('UPDATE devices SET retired = 1 WHERE id = $1', [id]);
    await touchFleet(sql);
    await appendAudit(sql, { actor, action: 'device.retired', subject: id, detail: {} }, wallNowMs());
  });
}

/** @param credentialSha256 hex SHA-256 of the secret that the device has drawn anew */
export async function replaceCredential(
  { database, wallNowMs }: RegistryContext,
  id: string,
  credentialSha256: string,
): Promise<void> {
  await database.transaction(async (sql) => {
    await activeDevice(sql, id);
    await sql.all('UPDATE devices SET credential_sha256 = $1 WHERE id = $2', [credentialSha256, id]);
    const fact = { actor: `device:${id}`, action: 'device.credential-replaced', subject: id, detail: {} };
    await appendAudit(sql, fact, wallNowMs());
  });
}

/** What is set by hand for one model of a device; undefined leaves it as it is. */
export interface ModelSetting {
  /** Where no rollout says otherwise. */
  readonly assigned?: string | null | undefined;
  /** Whatever rollouts say. */
  readonly pinned?: string | null | undefined;
}

/** @throws {KerfError} NOT_FOUND for an unknown device or release, INVALID_ARGUMENT for a release of another model. */
export async function setModel(
  { database, wallNowMs }: RegistryContext,
  actor: string,
  id: string,
  name: string,
  { assigned, pinned }: ModelSetting,
): Promise<Device> {
  return database.transaction(async (sql) => {
    await activeDevice(sql, id);
    for (const release of [assigned, pinned]) if (typeof release === 'string') await checkRelease(sql, release, name);
    await sql.all(
      'INSERT INTO device_models (device_id, name) VALUES ($1, $2) ON CONFLICT (device_id, name) DO NOTHING',
      [id, name],
    );
    const set = async (column: 'assigned' | 'pinned', value: string | null | undefined): Promise<void> => {
      if (value === undefined) return;
      await sql.all(`UPDATE device_models SET ${column} = $1 WHERE device_id = $2 AND name = $3`, [value, id, name]);
    };
    await set('assigned', assigned);
    await set('pinned', pinned);
    // A pinned device counts in no rollout.
    if (pinned !== undefined) await touchFleet(sql);
    const detail = {
      model: name,
      ...(assigned === undefined ? {} : { assigned }),
      ...(pinned === undefined ? {} : { pinned }),
    };
    await appendAudit(sql, { actor, action: 'device.set', subject: id, detail }, wallNowMs());
    return readDevice(sql, id);
  });
}

async function checkRelease(sql: Sql, release: string, name: string): Promise<void> {
  const row = await one<{ name: string }>(sql, 'SELECT name FROM releases WHERE id = $1', [release]);
  if (row === null) throw new KerfError('NOT_FOUND', `there is no release ${release}`);
  if (row.name !== name) {
    throw new KerfError('INVALID_ARGUMENT', `release ${release} is one of '${row.name}', not of '${name}'`);
  }
}

async function activeDevice(sql: Sql, id: string): Promise<void> {
  const row = await deviceRow(sql, id);
  if (row === null) throw new KerfError('NOT_FOUND', `there is no device '${id}'`);
  if (row.retired === 1) throw new KerfError('CONFLICT', `device '${id}' has been retired`);
}
