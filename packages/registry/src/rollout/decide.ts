// A device's part in rollouts, and what is set by hand -> the release that it should have. Pure.
import type { DeviceModel } from '../fleet/devices.ts';
import { type Candidate, stageOf } from './assign.ts';
import { mayOffer } from './machine.ts';
import type { DevicePart, Rollout } from './rollouts.ts';

export interface Decision {
  /** Release id; null: nothing is wanted, what is installed stays. */
  readonly release: string | null;
  readonly because: 'pinned' | 'rollout' | 'rolled-back' | 'assigned' | 'nothing';
  readonly rolloutId: string | null;
  /** The rollout that would offer its release now; it must be asked, and may say no. */
  readonly offer: { readonly rollout: Rollout; readonly stage: number } | null;
}

export interface Subject extends Candidate {
  readonly enrolledAt: number;
}

/** @param parts of the device in rollouts of this model @param open rollouts of this model that offer */
export function decide(
  device: Subject,
  model: DeviceModel,
  parts: readonly DevicePart[],
  open: readonly Rollout[],
  nowMs: number,
): Decision {
  if (model.pinned !== null) return answer(model.pinned, 'pinned');
  const taken = new Set(parts.map(({ rolloutId }) => rolloutId));
  const offering = open.filter((rollout) => !taken.has(rollout.id));
  const steps = [...parts, ...offering].sort((left, right) => right.number - left.number);
  for (const step of steps) {
    const decision = 'deviceId' in step ? byPart(step, model) : byOffer(step, device, nowMs);
    if (decision !== null) return decision;
  }
  return model.assigned === null ? answer(null, 'nothing') : answer(model.assigned, 'assigned');
}

function byPart(part: DevicePart, model: DeviceModel): Decision | null {
  if (part.state === 'succeeded') return answer(part.release, 'rollout', part.rolloutId);
  if (part.state === 'offered') {
    // What has not begun when the rollout stops does not begin; what has begun will report.
    const stands = part.status === 'running' || part.status === 'paused' || part.status === 'finished';
    return answer(stands ? part.release : model.installed, 'rollout', part.rolloutId);
  }
  return part.previous === null ? null : answer(part.previous, 'rolled-back', part.rolloutId);
}

function byOffer(rollout: Rollout, device: Subject, nowMs: number): Decision | null {
  if (rollout.spec.lateDevices === 'skip' && device.enrolledAt > rollout.createdAt) return null;
  const stage = stageOf(rollout.id, rollout.spec, device);
  if (stage === null || !mayOffer(rollout.spec, rollout.state, stage, nowMs)) return null;
  return { release: rollout.release, because: 'rollout', rolloutId: rollout.id, offer: { rollout, stage } };
}

function answer(release: string | null, because: Decision['because'], rolloutId: string | null = null): Decision {
  return { release, because, rolloutId, offer: null };
}
