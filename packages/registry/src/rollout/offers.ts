// A device that asks or reports -> its row in the rollout, and the rollout moved by it; time -> those that never reported.
import { KerfError } from '@kerf/protocol';
import { appendAudit } from '../audit/log.ts';
import type { RegistryContext } from '../context.ts';
import type { Sql } from '../store/database.ts';
import { inFlight, mayOffer } from './machine.ts';
import {
  type DevicePart,
  partsOfDevice,
  type Rollout,
  type RolloutDevice,
  readRollout,
  rolloutDevice,
  rolloutsWith,
  setDeviceState,
} from './rollouts.ts';
import { moveRollout } from './steer.ts';
import type { StageTotals } from './totals.ts';

/**
 * Takes a place in flight for the device, if the rollout still has one.
 * @param installed release that the device has
 */
export async function offerRelease(
  { database, wallNowMs }: RegistryContext,
  rolloutId: string,
  stage: number,
  deviceId: string,
  installed: string | null,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const nowMs = wallNowMs();
    const rollout = await readRollout(sql, rolloutId);
    if ((await rolloutDevice(sql, rolloutId, deviceId)) !== null) return true;
    if (!mayOffer(rollout.spec, rollout.state, stage, nowMs)) return false;
    await withdrawOlder(sql, rollout, deviceId, nowMs);
    await sql.all(
      `INSERT INTO rollout_devices (rollout_id, device_id, stage, state, previous, offered_at)
       VALUES ($1, $2, $3, 'offered', $4, $5)`,
      [rolloutId, deviceId, stage, installed, nowMs],
    );
    const offered = await moveRollout(sql, rollout, { type: 'offered', stage }, nowMs);
    // It has the release from elsewhere: by hand, or from a USB stick.
    if (installed === rollout.release) {
      await setDeviceState(sql, { rolloutId, deviceId }, 'succeeded', nowMs, null);
      await moveRollout(sql, offered, { type: 'succeeded', stage }, nowMs);
    }
    return true;
  });
}

/** What an older rollout of the model had offered and the device had not taken yet is not awaited any more. */
async function withdrawOlder(sql: Sql, rollout: Rollout, deviceId: string, nowMs: number): Promise<void> {
  for (const part of await partsOfDevice(sql, deviceId)) {
    if (part.name !== rollout.name || part.state !== 'offered') continue;
    await withdraw(sql, await readRollout(sql, part.rolloutId), part, nowMs);
  }
}

async function withdraw(
  sql: Sql,
  rollout: Rollout,
  { deviceId, stage }: Pick<RolloutDevice, 'deviceId' | 'stage'>,
  nowMs: number,
): Promise<Rollout> {
  await sql.all('DELETE FROM rollout_devices WHERE rollout_id = $1 AND device_id = $2', [rollout.id, deviceId]);
  return moveRollout(sql, rollout, { type: 'withdrawn', stage }, nowMs);
}

/** How an installation ended. `failed` covers golden samples, disk, and the health gate's own roll-back. */
export interface DeviceReport {
  readonly release: string;
  readonly outcome: 'succeeded' | 'failed';
  readonly reason: string | null;
}

/** Moves every rollout that offered this release to the device. Saying the same twice changes nothing. */
export async function reportOutcome(
  { database, wallNowMs }: RegistryContext,
  deviceId: string,
  report: DeviceReport,
): Promise<void> {
  await database.transaction(async (sql) => {
    const nowMs = wallNowMs();
    for (const part of await partsOfDevice(sql, deviceId)) {
      if (part.release === report.release) await applyReport(sql, part, report, nowMs);
      else if (part.state === 'going-back' && part.previous === report.release)
        await wentBack(sql, part, report, nowMs);
    }
  });
}

async function applyReport(
  sql: Sql,
  part: DevicePart,
  { outcome, reason }: DeviceReport,
  nowMs: number,
): Promise<void> {
  const { stage } = part;
  const type = transitionOf(part, outcome);
  if (type === null) return;
  await setDeviceState(sql, part, outcome, nowMs, reason);
  await moveRollout(sql, await readRollout(sql, part.rolloutId), { type, stage }, nowMs);
}

function transitionOf(
  { state }: DevicePart,
  outcome: DeviceReport['outcome'],
): 'succeeded' | 'failed' | 'relapsed' | null {
  if (state === 'offered') return outcome;
  return state === 'succeeded' && outcome === 'failed' ? 'relapsed' : null;
}

async function wentBack(sql: Sql, part: DevicePart, { reason }: DeviceReport, nowMs: number): Promise<void> {
  await setDeviceState(sql, part, 'went-back', nowMs, reason);
  await moveRollout(sql, await readRollout(sql, part.rolloutId), { type: 'went-back' }, nowMs);
}

/** A device says what it has: one that was told to go back may be there. */
export async function noteInstalled(
  { database, wallNowMs }: RegistryContext,
  deviceId: string,
  installed: string,
): Promise<void> {
  await database.transaction(async (sql) => {
    for (const part of await partsOfDevice(sql, deviceId)) {
      if (part.state !== 'going-back' || part.previous !== installed) continue;
      await wentBack(sql, part, { release: installed, outcome: 'succeeded', reason: null }, wallNowMs());
    }
  });
}

/** Offers that are timed out in one transaction. */
const TIMEOUT_BATCH = 500;

/** Lets time pass for every rollout that is under way. */
export async function tickRollouts(context: RegistryContext, totals: StageTotals): Promise<void> {
  const active = await rolloutsWith(context.database, ['scheduled', 'running', 'paused', 'finished']);
  for (const { id, state, spec } of active) {
    const nowMs = context.wallNowMs();
    while (
      inFlight(state) > 0 &&
      (await failSilent(context, id, nowMs - spec.reportTimeoutMs, nowMs)) === TIMEOUT_BATCH
    );
    if (state.status !== 'scheduled' && state.status !== 'running') continue;
    await context.database.transaction(async (sql) => {
      const rollout = await readRollout(sql, id);
      await moveRollout(sql, rollout, { type: 'tick', totals: await totals.of(sql, rollout) }, nowMs);
    });
  }
}

interface SilentRow {
  readonly device_id: string;
  readonly stage: number;
  readonly gone: number;
}

async function failSilent({ database }: RegistryContext, id: string, before: number, nowMs: number): Promise<number> {
  const find = (sql: Sql): Promise<SilentRow[]> =>
    sql.all<SilentRow>(
      `SELECT rollout_devices.device_id, stage,
         CASE WHEN retired = 1 OR pinned IS NOT NULL THEN 1 ELSE 0 END AS gone
       FROM rollout_devices JOIN rollouts ON rollouts.id = rollout_id JOIN devices ON devices.id = rollout_devices.device_id
       LEFT JOIN device_models ON device_models.device_id = devices.id AND device_models.name = rollouts.name
       WHERE rollout_id = $1 AND rollout_devices.state = 'offered'
         AND (offered_at < $2 OR retired = 1 OR pinned IS NOT NULL)
       LIMIT ${TIMEOUT_BATCH}`,
      [id, before],
    );
  if ((await find(database)).length === 0) return 0;
  return database.transaction(async (sql) => {
    const rows = await find(sql);
    let rollout = await readRollout(sql, id);
    for (const { device_id: deviceId, stage, gone } of rows) {
      if (gone === 1) {
        rollout = await withdraw(sql, rollout, { deviceId, stage }, nowMs);
        continue;
      }
      await setDeviceState(sql, { rolloutId: id, deviceId }, 'failed', nowMs, 'it never reported');
      rollout = await moveRollout(sql, rollout, { type: 'failed', stage }, nowMs);
    }
    return rows.length;
  });
}

/** @throws {KerfError} NOT_FOUND when the device has no part in the rollout, CONFLICT when it has not failed. */
export async function retryDevice(
  { database, wallNowMs }: RegistryContext,
  actor: string,
  rolloutId: string,
  deviceId: string,
): Promise<void> {
  await database.transaction(async (sql) => {
    const nowMs = wallNowMs();
    const part = await rolloutDevice(sql, rolloutId, deviceId);
    if (part === null) throw new KerfError('NOT_FOUND', `device '${deviceId}' has no part in this rollout`);
    if (part.state !== 'failed')
      throw new KerfError('CONFLICT', `device '${deviceId}' has not failed: it is '${part.state}'`);
    await sql.all('DELETE FROM rollout_devices WHERE rollout_id = $1 AND device_id = $2', [rolloutId, deviceId]);
    const rollout = await readRollout(sql, rolloutId);
    await moveRollout(sql, rollout, { type: 'retried', stage: part.stage }, nowMs);
    const detail = { device: deviceId };
    await appendAudit(sql, { actor, action: 'rollout.device-retried', subject: rolloutId, detail }, nowMs);
  });
}
