// What operators, devices and time do to a rollout -> the machine's next state, rows and audit entries, in one transaction.
import { KerfError } from '@kerf/protocol';
import { appendAudit } from '../audit/log.ts';
import type { RegistryContext } from '../context.ts';
import { one, type Sql } from '../store/database.ts';
import { initialState, type RolloutEvent, type RolloutState, step } from './machine.ts';
import { countActive, insertRollout, type Rollout, readRollout, saveState } from './rollouts.ts';
import { type RolloutRequest, rolloutSpec } from './spec.ts';

/** @throws {KerfError} NOT_FOUND for an unknown release, INVALID_ARGUMENT, CONFLICT when too many are under way. */
export async function createRollout(
  { database, limits, wallNowMs, newId }: RegistryContext,
  actor: string,
  releaseId: string,
  request: RolloutRequest,
): Promise<Rollout> {
  const spec = rolloutSpec(request);
  return database.transaction(async (sql) => {
    const release = await one<{ name: string }>(sql, 'SELECT name FROM releases WHERE id = $1', [releaseId]);
    if (release === null) throw new KerfError('NOT_FOUND', `there is no release ${releaseId}`);
    if ((await countActive(sql, release.name)) >= limits.maxActiveRollouts) {
      throw new KerfError(
        'CONFLICT',
        `${limits.maxActiveRollouts} rollouts of '${release.name}' are not over: end some`,
      );
    }
    const nowMs = wallNowMs();
    const rollout = await insertRollout(sql, {
      id: newId(),
      name: release.name,
      release: releaseId,
      spec,
      state: initialState(spec),
      createdBy: actor,
      createdAt: nowMs,
      changedAt: nowMs,
    });
    const detail = { model: release.name, release: releaseId, spec };
    await appendAudit(sql, { actor, action: 'rollout.created', subject: rollout.id, detail }, nowMs);
    return rollout;
  });
}

/** What an operator can do to a rollout. */
export type OperatorAction =
  | { readonly action: 'approve' }
  | { readonly action: 'resume' }
  | { readonly action: 'reject' | 'pause' | 'stop' | 'abort'; readonly reason: string }
  | { readonly action: 'roll-back'; readonly reason: string };

/** @throws {KerfError} NOT_FOUND, CONFLICT when the status does not allow it, FORBIDDEN for approving one's own. */
export async function steerRollout(
  { database, wallNowMs }: RegistryContext,
  actor: string,
  id: string,
  what: OperatorAction,
): Promise<Rollout> {
  return database.transaction(async (sql) => {
    const rollout = await readRollout(sql, id);
    if (what.action === 'approve' && rollout.createdBy === actor) {
      throw new KerfError('FORBIDDEN', 'a rollout is approved by somebody else than who created it');
    }
    const nowMs = wallNowMs();
    if (what.action === 'roll-back') return rollBack(sql, rollout, actor, what.reason, nowMs);
    const state = step(rollout.spec, rollout.state, eventOf(what, actor), nowMs);
    const reason = 'reason' in what ? { reason: what.reason } : {};
    return audited(sql, rollout, state, { actor, action: what.action, detail: reason }, nowMs);
  });
}

function eventOf(what: Exclude<OperatorAction, { action: 'roll-back' }>, by: string): RolloutEvent {
  if (what.action === 'approve') return { type: 'approve', by };
  if (what.action === 'resume') return { type: 'resume' };
  return { type: what.action, reason: what.reason };
}

/** Sends back every device that has the release and had another one before. */
async function rollBack(sql: Sql, rollout: Rollout, actor: string, reason: string, nowMs: number): Promise<Rollout> {
  const where = "rollout_id = $1 AND state IN ('offered', 'succeeded') AND previous IS NOT NULL";
  const row = await one<{ n: number }>(sql, `SELECT count(*) AS n FROM rollout_devices WHERE ${where}`, [rollout.id]);
  const devices = row?.n ?? 0;
  const state = step(rollout.spec, rollout.state, { type: 'roll-back', devices, reason }, nowMs);
  await sql.all(`UPDATE rollout_devices SET state = 'going-back', ended_at = NULL WHERE ${where}`, [rollout.id]);
  return audited(sql, rollout, state, { actor, action: 'roll-back', detail: { reason, devices } }, nowMs);
}

/** What devices or time did. What follows by itself (a stop, a new stage, an end) gets its audit entry. */
export async function moveRollout(sql: Sql, rollout: Rollout, event: RolloutEvent, nowMs: number): Promise<Rollout> {
  const { spec, state: old } = rollout;
  const state = step(spec, old, event, nowMs);
  if (state === old) return rollout;
  if (state.status === old.status && state.stage === old.stage) return saveState(sql, rollout, state, nowMs);
  const { status, stage, stages, reason } = state;
  const detail = { stage, stages, ...(reason === null ? {} : { reason }) };
  const moved = await audited(sql, rollout, state, { actor: 'registry', action: actionOf(old, state), detail }, nowMs);
  const isAutomaticStop = status === 'stopped' && spec.onStop === 'roll-back';
  return isAutomaticStop ? rollBack(sql, moved, 'registry', reason ?? 'stopped', nowMs) : moved;
}

function actionOf(old: RolloutState, state: RolloutState): string {
  return state.status === old.status ? 'stage-opened' : state.status;
}

async function audited(
  sql: Sql,
  rollout: Rollout,
  state: RolloutState,
  { actor, action, detail }: { actor: string; action: string; detail: Readonly<Record<string, unknown>> },
  nowMs: number,
): Promise<Rollout> {
  const saved = await saveState(sql, rollout, state, nowMs);
  await appendAudit(sql, { actor, action: `rollout.${action}`, subject: rollout.id, detail }, nowMs);
  return saved;
}
