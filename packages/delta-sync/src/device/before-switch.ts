// A whole release in the slot that does not run -> whether it may run: golden samples, its tail in the cloud, the time of day.
import { KerfError } from '@kerf/protocol';
import { filesOfSide } from '../release/release-manifest.ts';
import { isPaired } from './check-runtime.ts';
import type { DeviceOptions, Staged } from './device-options.ts';
import type { GoldenReport } from './golden-check.ts';
import { goldenFailed } from './golden-failed.ts';
import { isInWindow } from './maintenance-window.ts';

/**
 * @returns null for a release without golden samples
 * @throws {KerfError} GOLDEN_FAILED; what loading and running throw.
 */
export async function runGolden(
  { golden, side, onEvent }: DeviceOptions,
  { manifest, slot }: Staged,
  signal: AbortSignal | undefined,
): Promise<GoldenReport | null> {
  const claimed = manifest.golden?.file ?? null;
  // A side that has not the model has not its samples either.
  if (claimed === null || !filesOfSide(manifest, side).some(({ name }) => name === claimed)) return null;
  if (golden === undefined) {
    throw goldenFailed({ kind: 'golden-no-runtime' });
  }
  const report = await golden(slot, manifest, signal);
  if (report !== null) onEvent?.({ kind: 'golden', report });
  return report;
}

/** @throws {KerfError} MODEL_NOT_FOUND. */
export async function requireTail({ cloudPairs }: DeviceOptions, { manifest }: Staged): Promise<void> {
  const pairs = (await cloudPairs?.()) ?? null;
  if (pairs === null || manifest.pair === null || pairs.some((pair) => isPaired(manifest, { pair }))) return;
  throw new KerfError(
    'MODEL_NOT_FOUND',
    `the cloud has no tail for ${manifest.name} ${manifest.version} yet: publish it there first; the installed release runs on`,
  );
}

export function isWindowOpen({ window = null, wallClockMs }: DeviceOptions): boolean {
  if (window === null) return true;
  const now = new Date(wallClockMs());
  return isInWindow(window, { day: now.getDay(), minute: now.getHours() * 60 + now.getMinutes() });
}
