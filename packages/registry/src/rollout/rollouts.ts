// Rollouts <-> rows.
import { KerfError } from '@kerf/protocol';
import { one, type Sql } from '../store/database.ts';
import { ENDED, type RolloutState, type RolloutStatus } from './machine.ts';
import type { RolloutSpec } from './spec.ts';

export interface Rollout {
  readonly id: string;
  /** Of the model. */
  readonly name: string;
  readonly release: string;
  /** Counts up: of two rollouts of one model the later one decides. */
  readonly number: number;
  readonly spec: RolloutSpec;
  readonly state: RolloutState;
  readonly createdBy: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly changedAt: number;
}

interface RolloutRow {
  readonly id: string;
  readonly name: string;
  readonly release_id: string;
  readonly number: number;
  readonly spec: string;
  readonly state: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly changed_at: number;
}

/** `offered`: in flight. `failed` devices keep what they had. `going-back` and `went-back` belong to a roll-back. */
export type RolloutDeviceState = 'offered' | 'succeeded' | 'failed' | 'going-back' | 'went-back';

export interface RolloutDevice {
  readonly rolloutId: string;
  readonly deviceId: string;
  readonly stage: number;
  readonly state: RolloutDeviceState;
  /** Release that it had when it was offered this one. */
  readonly previous: string | null;
  readonly offeredAt: number;
  readonly endedAt: number | null;
  readonly reason: string | null;
}

const DEVICE_COLUMNS = `rollout_id AS "rolloutId", device_id AS "deviceId", stage, state, previous,
  offered_at AS "offeredAt", ended_at AS "endedAt", reason`;

/** @throws {KerfError} NOT_FOUND. */
export async function readRollout(sql: Sql, id: string): Promise<Rollout> {
  const row = await one<RolloutRow>(sql, 'SELECT * FROM rollouts WHERE id = $1', [id]);
  if (row === null) throw new KerfError('NOT_FOUND', `there is no rollout '${id}'`);
  return rolloutOf(row);
}

/** Newest first. */
export async function listRollouts(sql: Sql, name: string | null, before: number, limit: number): Promise<Rollout[]> {
  const rows =
    name === null
      ? await sql.all<RolloutRow>('SELECT * FROM rollouts WHERE number < $1 ORDER BY number DESC LIMIT $2', [
          before,
          limit,
        ])
      : await sql.all<RolloutRow>(
          'SELECT * FROM rollouts WHERE number < $1 AND name = $2 ORDER BY number DESC LIMIT $3',
          [before, name, limit],
        );
  return rows.map(rolloutOf);
}

/** Those of these statuses, newest first. */
export async function rolloutsWith(sql: Sql, statuses: readonly RolloutStatus[]): Promise<Rollout[]> {
  const places = statuses.map((_, at) => `$${at + 1}`).join(', ');
  const rows = await sql.all<RolloutRow>(
    `SELECT * FROM rollouts WHERE status IN (${places}) ORDER BY number DESC`,
    statuses,
  );
  return rows.map(rolloutOf);
}

/** How many rollouts of a model are not over. */
export async function countActive(sql: Sql, name: string): Promise<number> {
  const over = [...ENDED, 'finished'].map((status) => `'${status}'`).join(', ');
  const row = await one<{ n: number }>(
    sql,
    `SELECT count(*) AS n FROM rollouts WHERE name = $1 AND status NOT IN (${over})`,
    [name],
  );
  return row?.n ?? 0;
}

export async function insertRollout(sql: Sql, rollout: Omit<Rollout, 'number'>): Promise<Rollout> {
  const last = await one<{ n: number | null }>(sql, 'SELECT max(number) AS n FROM rollouts');
  const number = (last?.n ?? 0) + 1;
  const { id, name, release, spec, state, createdBy, createdAt } = rollout;
  await sql.all(
    `INSERT INTO rollouts (id, name, release_id, number, spec, state, status, created_by, created_at, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [id, name, release, number, JSON.stringify(spec), JSON.stringify(state), state.status, createdBy, createdAt],
  );
  return { ...rollout, number };
}

export async function saveState(sql: Sql, rollout: Rollout, state: RolloutState, nowMs: number): Promise<Rollout> {
  await sql.all('UPDATE rollouts SET state = $1, status = $2, changed_at = $3 WHERE id = $4', [
    JSON.stringify(state),
    state.status,
    nowMs,
    rollout.id,
  ]);
  return { ...rollout, state, changedAt: nowMs };
}

export function rolloutDevice(sql: Sql, rolloutId: string, deviceId: string): Promise<RolloutDevice | null> {
  return one<RolloutDevice>(
    sql,
    `SELECT ${DEVICE_COLUMNS} FROM rollout_devices WHERE rollout_id = $1 AND device_id = $2`,
    [rolloutId, deviceId],
  );
}

/** In the order of their ids. */
export function rolloutDevices(
  sql: Sql,
  rolloutId: string,
  state: RolloutDeviceState | null,
  after: string,
  limit: number,
): Promise<RolloutDevice[]> {
  return sql.all<RolloutDevice>(
    `SELECT ${DEVICE_COLUMNS} FROM rollout_devices
     WHERE rollout_id = $1 AND device_id > $2 AND ($3 = '' OR state = $3) ORDER BY device_id LIMIT $4`,
    [rolloutId, after, state ?? '', limit],
  );
}

/** A device's part in rollouts, of the latest rollout first. */
export type DevicePart = RolloutDevice & {
  readonly name: string;
  readonly release: string;
  readonly number: number;
  readonly status: RolloutStatus;
};

export function partsOfDevice(sql: Sql, deviceId: string): Promise<DevicePart[]> {
  return sql.all<DevicePart>(
    `SELECT ${DEVICE_COLUMNS.replace('state', 'rollout_devices.state')}, name, release_id AS release, number, status
     FROM rollout_devices JOIN rollouts ON rollouts.id = rollout_id WHERE device_id = $1 ORDER BY number DESC`,
    [deviceId],
  );
}

/** Where a device of a rollout has come to. */
export async function setDeviceState(
  sql: Sql,
  { rolloutId, deviceId }: Pick<RolloutDevice, 'rolloutId' | 'deviceId'>,
  state: RolloutDeviceState,
  endedAt: number | null,
  reason: string | null,
): Promise<void> {
  await sql.all(
    'UPDATE rollout_devices SET state = $1, ended_at = $2, reason = $3 WHERE rollout_id = $4 AND device_id = $5',
    [state, endedAt, reason, rolloutId, deviceId],
  );
}

function rolloutOf(row: RolloutRow): Rollout {
  return {
    id: row.id,
    name: row.name,
    release: row.release_id,
    number: row.number,
    spec: JSON.parse(row.spec) as RolloutSpec,
    state: JSON.parse(row.state) as RolloutState,
    createdBy: row.created_by,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  };
}
