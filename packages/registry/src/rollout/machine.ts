// The life of a rollout: (specification, state, event) -> the next state. No clock, no chance, no I/O; the table of what is
// allowed when stands here and nowhere else.
import { KerfError } from '@kerf/protocol';
import { type RolloutCause, rolloutReason } from './cause.ts';
import type { RolloutSpec } from './spec.ts';
import { isWindowOpen } from './window.ts';

export const ROLLOUT_STATUSES = [
  'awaiting-approval',
  'rejected',
  'scheduled',
  'running',
  'paused',
  'finished',
  'stopped',
  'aborted',
  'rolling-back',
  'rolled-back',
] as const;
export type RolloutStatus = (typeof ROLLOUT_STATUSES)[number];

/** Devices of one stage that have been offered the release, and how it ended for them. */
export interface StageCount {
  readonly offered: number;
  readonly succeeded: number;
  readonly failed: number;
}

export interface RolloutState {
  readonly status: RolloutStatus;
  /** Stages 0 to here are open. */
  readonly stage: number;
  readonly stages: readonly StageCount[];
  /** When the newest stage reached its share; null before. */
  readonly reachedAt: number | null;
  /** Paused because its stage wanted that: `resume` opens the next one. */
  readonly held: boolean;
  readonly approvedBy: string | null;
  /** Devices that have been told to go back and have not reported yet. */
  readonly goingBack: number;
  /** Why it is paused, stopped or rejected. */
  readonly reason: string | null;
  /** The same where the registry itself did it, while it goes back too; absent for what a person said. */
  readonly cause?: RolloutCause;
}

export type RolloutEvent =
  | { readonly type: 'approve'; readonly by: string }
  | { readonly type: 'reject'; readonly reason: string }
  | { readonly type: 'pause' | 'abort' | 'stop'; readonly reason: string }
  | { readonly type: 'resume' }
  /** @param devices that have been offered the release and did not fail: those that go back */
  | { readonly type: 'roll-back'; readonly devices: number; readonly reason: string }
  | { readonly type: 'offered'; readonly stage: number }
  | { readonly type: 'succeeded' | 'failed'; readonly stage: number }
  /** A device that had succeeded says that its health gate rolled it back. */
  | { readonly type: 'relapsed'; readonly stage: number }
  | { readonly type: 'went-back' }
  /** The offer no longer stands: the device was pinned, retired, or a newer rollout took it. */
  | { readonly type: 'withdrawn'; readonly stage: number }
  /** An operator lets a failed device try again. */
  | { readonly type: 'retried'; readonly stage: number }
  /** Time passes. @param totals devices of each stage now */
  | { readonly type: 'tick'; readonly totals: readonly number[] };

/** Statuses in which an operator's event is allowed. */
const ALLOWED: Readonly<Record<string, readonly RolloutStatus[]>> = {
  approve: ['awaiting-approval'],
  reject: ['awaiting-approval'],
  pause: ['scheduled', 'running'],
  resume: ['paused', 'stopped'],
  stop: ['scheduled', 'running', 'paused', 'finished'],
  abort: ['awaiting-approval', 'scheduled', 'running', 'paused', 'stopped'],
  'roll-back': ['running', 'paused', 'stopped', 'aborted', 'finished'],
};

/** What an operator may do with a rollout of a status. */
export function operatorActions(status: RolloutStatus): string[] {
  return Object.keys(ALLOWED).filter((action) => ALLOWED[action]?.includes(status));
}

/** No event leads out of these, and nothing of them is offered. */
export const ENDED: readonly RolloutStatus[] = ['rejected', 'aborted', 'rolled-back'];

export function initialState(spec: RolloutSpec): RolloutState {
  return {
    status: spec.needsApproval ? 'awaiting-approval' : 'scheduled',
    stage: 0,
    stages: spec.stages.map(() => ({ offered: 0, succeeded: 0, failed: 0 })),
    reachedAt: null,
    held: false,
    approvedBy: null,
    goingBack: 0,
    reason: null,
  };
}

/** The state after `event`. @throws {KerfError} CONFLICT for an operator's event that the status does not allow. */
export function step(spec: RolloutSpec, state: RolloutState, event: RolloutEvent, nowMs: number): RolloutState {
  const allowed = ALLOWED[event.type];
  if (allowed !== undefined && !allowed.includes(state.status)) {
    throw new KerfError('CONFLICT', `a rollout that is ${state.status} cannot be asked to ${event.type}`, {
      details: { status: state.status },
    });
  }
  switch (event.type) {
    case 'approve':
      return { ...state, status: 'scheduled', approvedBy: event.by };
    case 'reject':
      return { ...said(state, event.reason), status: 'rejected' };
    case 'pause':
      return { ...said(state, event.reason), status: 'paused' };
    case 'resume':
      return resumed(spec, state, nowMs);
    case 'stop':
      return { ...said(state, event.reason), status: 'stopped' };
    case 'abort':
      return { ...said(state, event.reason), status: 'aborted' };
    case 'roll-back':
      return goBack(event.reason === state.reason ? state : said(state, event.reason), event.devices);
    case 'went-back':
      return state.status === 'rolling-back' ? goBack(state, state.goingBack - 1) : state;
    case 'offered':
      return count(state, event.stage, { offered: 1 });
    case 'withdrawn':
      return count(state, event.stage, { offered: -1 });
    case 'retried':
      return count(state, event.stage, { offered: -1, failed: -1 });
    case 'succeeded':
      return count(state, event.stage, { succeeded: 1 });
    case 'failed':
      return stopIfTooMany(spec, count(state, event.stage, { failed: 1 }), event.stage);
    case 'relapsed':
      return stopIfTooMany(spec, count(state, event.stage, { succeeded: -1, failed: 1 }), event.stage);
    case 'tick':
      return advance(spec, state, event.totals, nowMs);
  }
}

/** Devices that have been offered the release and have not reported. */
export function inFlight({ stages }: RolloutState): number {
  return stages.reduce((sum, { offered, succeeded, failed }) => sum + offered - succeeded - failed, 0);
}

/** Whether the release may be offered to a device of `stage` now. */
export function mayOffer(spec: RolloutSpec, state: RolloutState, stage: number, nowMs: number): boolean {
  if (state.status !== 'running' && state.status !== 'finished') return false;
  if (stage > state.stage || inFlight(state) >= spec.maxInFlight) return false;
  return isWindowOpen(spec.window, nowMs);
}

function resumed(spec: RolloutSpec, state: RolloutState, nowMs: number): RolloutState {
  const waits = spec.startAt !== null && spec.startAt > nowMs;
  const next: RolloutState = { ...said(state, null), status: waits ? 'scheduled' : 'running' };
  return state.held ? openNext(spec, next) : next;
}

function count(state: RolloutState, stage: number, delta: Partial<StageCount>): RolloutState {
  const old = state.stages[stage];
  if (old === undefined) throw new KerfError('INTERNAL', `a rollout has no stage ${stage}`);
  const counted = {
    offered: old.offered + (delta.offered ?? 0),
    succeeded: old.succeeded + (delta.succeeded ?? 0),
    failed: old.failed + (delta.failed ?? 0),
  };
  return { ...state, stages: state.stages.with(stage, counted) };
}

function stopIfTooMany(spec: RolloutSpec, state: RolloutState, stage: number): RolloutState {
  if (!['running', 'paused', 'finished'].includes(state.status)) return state;
  const cause = tooManyErrors(spec, state, stage);
  return cause === null ? state : { ...state, status: 'stopped', ...because(cause) };
}

/** Why the rollout must stop; null when it need not. */
function tooManyErrors({ errors }: RolloutSpec, { stages }: RolloutState, stage: number): RolloutCause | null {
  const all = stages.reduce((sum, { failed }) => sum + failed, 0);
  if (errors.count !== null && all > errors.count) return { kind: 'failed-count', failed: all, allowed: errors.count };
  const { succeeded, failed } = stages[stage] as StageCount;
  const ended = succeeded + failed;
  if (errors.share !== null && ended >= errors.minimumEnded && failed > errors.share * ended) {
    return { kind: 'failed-share', failed, ended, stage: stage + 1, allowedShare: errors.share };
  }
  return null;
}

function advance(spec: RolloutSpec, state: RolloutState, totals: readonly number[], nowMs: number): RolloutState {
  if (state.status === 'scheduled' && (spec.startAt === null || spec.startAt <= nowMs)) {
    return advance(spec, { ...state, status: 'running' }, totals, nowMs);
  }
  if (state.status !== 'running') return state;
  const stage = spec.stages[state.stage];
  const counts = state.stages[state.stage];
  if (stage === undefined || counts === undefined) return state;
  const total = totals[state.stage] ?? 0;
  const reached = counts.succeeded >= Math.ceil(stage.successShare * total);
  if (!reached) return state.reachedAt === null ? state : { ...state, reachedAt: null };
  const reachedAt = state.reachedAt ?? nowMs;
  const soaked = nowMs - reachedAt >= stage.soakMs;
  const isLast = state.stage === spec.stages.length - 1;
  if (!soaked) return { ...state, reachedAt };
  if (isLast) return { ...state, reachedAt, status: 'finished' };
  if (stage.pauseAfter) {
    const why = because({ kind: 'after-stage', stage: state.stage + 1 });
    return { ...state, reachedAt, status: 'paused', held: true, ...why };
  }
  return advance(spec, openNext(spec, state), totals, nowMs);
}

function openNext(spec: RolloutSpec, state: RolloutState): RolloutState {
  return { ...state, stage: Math.min(state.stage + 1, spec.stages.length - 1), reachedAt: null, held: false };
}

function goBack(state: RolloutState, devices: number): RolloutState {
  return { ...state, status: devices === 0 ? 'rolled-back' : 'rolling-back', goingBack: devices };
}

function because(cause: RolloutCause): Pick<RolloutState, 'reason' | 'cause'> {
  return { reason: rolloutReason(cause), cause };
}

/** What a person says takes the place of what the registry found. */
function said(before: RolloutState, reason: string | null): RolloutState {
  const state = { ...before, reason };
  delete state.cause;
  return state;
}
