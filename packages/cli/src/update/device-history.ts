// What has happened to a device's releases <-> lines of a file in its folder, bounded; never a reason for an update to fail.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { causeOf, type DeviceEvent, type ReleaseCause, type ReleaseWhy, releaseReason } from '@kerf/delta-sync';

export interface HistoryEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: 'staged' | 'switched' | 'confirmed' | 'rolledBack' | 'refused';
  readonly version: string | null;
  /** Who and why, where somebody has said. */
  readonly detail: string;
  /** Why, where no person said it. */
  readonly cause?: ReleaseCause;
}

const FILE = 'history.jsonl';
/** When it has twice as many, the older half goes. */
const KEPT = 500;

/** Newest first. */
export function readHistory(folder: string, most: number): HistoryEntry[] {
  return linesOf(folder)
    .slice(-most)
    .reverse()
    .flatMap((line): HistoryEntry[] => {
      try {
        return [JSON.parse(line) as HistoryEntry];
      } catch {
        // Cut short by a loss of power.
        return [];
      }
    });
}

/** Written at once: what follows an event may be the end of this process. */
export function noteHistory(folder: string, entry: Omit<HistoryEntry, 'at'>): void {
  try {
    const line = JSON.stringify({ at: new Date().toISOString(), ...entry });
    appendFileSync(join(folder, FILE), `${line}\n`);
    const lines = linesOf(folder);
    if (lines.length <= 2 * KEPT) return;
    writeFileSync(join(folder, `${FILE}.part`), `${lines.slice(-KEPT).join('\n')}\n`);
    renameSync(join(folder, `${FILE}.part`), join(folder, FILE));
  } catch {
    // A full disk: the device's state says what counts.
  }
}

/** Events that change what the device holds or runs. */
export function noteEvent(folder: string, event: DeviceEvent, note: ReleaseWhy): void {
  if (event.kind === 'checked' || event.kind === 'fetched' || event.kind === 'golden') return;
  const why = event.kind === 'rolledBack' ? (event.cause ?? event.reason) : note;
  noteHistory(folder, { kind: event.kind, version: event.version, detail: releaseReason(why), ...causeOf(why) });
}

function linesOf(folder: string): string[] {
  try {
    return readFileSync(join(folder, FILE), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
