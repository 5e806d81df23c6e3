// A device and a rollout -> the stage that the device belongs to, the same whenever and wherever it is asked.
import { createHash } from 'node:crypto';
import type { RolloutSpec, Selector } from './spec.ts';

/** What a rollout looks at in a device. */
export interface Candidate {
  readonly id: string;
  readonly groups: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export function isSelected({ groups, labels }: Selector, device: Candidate): boolean {
  if (groups.length > 0 && !groups.some((group) => device.groups.includes(group))) return false;
  return Object.entries(labels).every(([key, value]) => device.labels[key] === value);
}

/**
 * Index of the device's stage; null when the rollout does not concern it. Nothing is drawn or stored: a device that
 * enrols late falls into the stage that it would always have been in.
 * @param rolloutId other rollouts shuffle the devices otherwise, so that not always the same ones come first
 */
export function stageOf(rolloutId: string, spec: RolloutSpec, device: Candidate): number | null {
  if (!isSelected(spec.target, device)) return null;
  const { stages } = spec;
  const listed = stages.findIndex(({ members }) => {
    if (members.kind === 'devices') return members.devices.includes(device.id);
    return members.kind === 'groups' && members.groups.some((group) => device.groups.includes(group));
  });
  if (listed !== -1) return listed;
  const place = placeOf(rolloutId, device.id);
  let upTo = 0;
  for (const [index, { members }] of stages.entries()) {
    if (members.kind === 'rest') return index;
    if (members.kind !== 'share') continue;
    upTo += members.share;
    // The last share reaches 1 whatever the rounding.
    if (place < upTo || upTo > 1 - 1e-9) return index;
  }
  return null;
}

/** A number in [0, 1), evenly spread over devices. */
function placeOf(rolloutId: string, deviceId: string): number {
  const hash = createHash('sha256').update(`${rolloutId}\n${deviceId}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48;
}
