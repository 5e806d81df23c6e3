// A device's state, settings and what was found out -> what the screen Updates shows.

import { basename } from 'node:path';
import { causeView, type InstalledView, type ReleaseView, type UpdatesView, withoutFolders } from '@kerf/bridge';
import {
  type Candidate,
  DEFAULT_DEVICE_LIMITS,
  type Device,
  type DeviceState,
  isInWindow,
  parseMaintenanceWindow,
} from '@kerf/delta-sync';
import { parseUrl } from '@kerf/protocol';
import { readHistory } from './device-history.ts';
import type { DeviceNow } from './device-now.ts';

/** Lines of the history that are shown. */
const HISTORY = 50;

/** What the desk knows besides what lies on the disk. */
export type KnownView = Pick<
  UpdatesView,
  | 'golden'
  | 'waiting'
  | 'everyMs'
  | 'hasKnownParts'
  | 'hasRegistry'
  | 'releases'
  | 'looked'
  | 'canary'
  | 'job'
  | 'ended'
>;

export function updatesView(
  { folder, settings, state: { active, previous, trialStarts, rejected }, staged }: DeviceNow,
  known: KnownView,
): UpdatesView {
  const { name, mirrors, automatic, pinned, window } = settings;
  return {
    ...known,
    staged: staged === null ? null : { ...staged, ...reasonAgainst(staged.id, rejected) },
    name,
    mirrors: mirrors.map(mirrorName),
    installed: shown(active),
    previous: shown(previous),
    probation: trialStarts === null ? null : { starts: trialStarts, most: DEFAULT_DEVICE_LIMITS.trialStarts },
    settings: { automatic, pinned, window },
    isWindowOpen: isWindowOpen(window, new Date()),
    history: readHistory(folder, HISTORY).map(({ cause, ...entry }) => ({
      ...entry,
      detail: withoutFolders(entry.detail),
      cause: causeView(cause),
    })),
  };
}

/** An address without user and password; of a folder its own name: where it lies on this machine is nobody's business. */
export function mirrorName(mirror: string): string {
  const url = /^https?:/i.test(mirror) ? parseUrl(mirror) : null;
  return url === null ? basename(mirror) : `${url.protocol}//${url.host}${url.pathname}`;
}

export function isWindowOpen(window: string | null, now: Date): boolean {
  if (window === null) return true;
  return isInWindow(parseMaintenanceWindow(window), {
    day: now.getDay(),
    minute: now.getHours() * 60 + now.getMinutes(),
  });
}

export async function releaseView(device: Device, candidate: Candidate): Promise<ReleaseView> {
  const { release, manifest } = candidate;
  const plan = await device.plan(candidate);
  const { rejected, floor, active } = device.state;
  return {
    id: release.sha256,
    version: manifest.version,
    sequence: manifest.sequence,
    createdAt: manifest.createdAt,
    createdBy: manifest.createdBy,
    notes: manifest.notes,
    kind: manifest.kind,
    fullBytes: plan.reduce((sum, { bytes }) => sum + bytes, 0),
    fetchBytes: plan.reduce((sum, { fetchBytes }) => sum + fetchBytes, 0),
    goldenSamples: manifest.golden?.samples ?? 0,
    ...reasonAgainst(release.sha256, rejected),
    isOlder: manifest.sequence < Math.max(floor, active?.sequence ?? 0),
  };
}

function reasonAgainst(
  release: string,
  rejected: DeviceState['rejected'],
): Pick<ReleaseView, 'rejected' | 'rejectedCause'> {
  const found = rejected.find(({ id }) => id === release);
  return {
    rejected: found === undefined ? null : withoutFolders(found.reason),
    rejectedCause: causeView(found?.cause),
  };
}

function shown(release: InstalledView | null): InstalledView | null {
  return release === null ? null : { id: release.id, version: release.version };
}
