// A device and one of its releases -> that release in the slot that does not run, and what known parts say of it.
import { resolve } from 'node:path';
import type { CallParams, CanaryView, GoldenView } from '@kerf/bridge';
import { causeOf, type ReleaseWhy, releaseReason, type Staged } from '@kerf/delta-sync';
import { readStationFile, type StationFile } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { refused } from '../refusal.ts';
import { runCanary } from './canary.ts';
import { noteHistory } from './device-history.ts';
import type { DeviceNow } from './device-now.ts';
import type { JobProgress } from './one-job.ts';
import { stageInThread } from './stage-in-thread.ts';
import { withRelease, withSlot } from './station-release.ts';

/** Null as the version: what the device takes by itself. */
export type WantedRelease = Omit<CallParams<'updates.fetch'>, 'version'> & { readonly version: string | null };

/**
 * @returns what its golden samples gave; null where there is nothing to fetch, or it has none
 * @throws {KerfError} what fetching and checking throw; a release that fails on this device is in the history then.
 */
export async function fetchRelease(
  now: DeviceNow,
  { version, from, allowOlder }: WantedRelease,
  { signal, version: name, total, add }: JobProgress,
): Promise<(GoldenView & { readonly id: string }) | null> {
  const { folder } = now;
  let wanted = version;
  const onBegun = (begun: string, bytes: number): void => {
    wanted = begun;
    name(begun);
    total(bytes);
  };
  try {
    const request = { folder, mirrors: from === null ? [] : [from], version, allowOlder };
    const found = await stageInThread(request, { onBegun, onBytes: add }, signal);
    return found === null || found.golden === null ? null : { ...found.golden, id: found.staged.id };
  } catch (error) {
    if (KerfError.is(error) && error.code === 'GOLDEN_FAILED') {
      await now.refresh();
      const { cause } = now.state.rejected.find((one) => one.version === wanted) ?? {};
      noteHistory(folder, { kind: 'refused', version: wanted, detail: error.message, ...causeOf(cause ?? '') });
    }
    throw error;
  } finally {
    await now.refresh();
  }
}

/** @throws {KerfError} CONFIG_INVALID for a station file without known parts. */
export function knownPartsOf({ config, folder }: StationFile): string {
  const known = config.updates?.knownParts ?? null;
  if (known !== null) return resolve(folder, known);
  throw refused({ kind: 'no-known-parts' });
}

/**
 * @param station path of the station file
 * @param parts folder of known parts
 * @throws {KerfError} RELEASE_NOT_FOUND when nothing is staged; what {@link runCanary} throws.
 */
export async function tryOnParts(
  now: DeviceNow,
  { station, parts }: { readonly station: string; readonly parts: string },
  { signal, total, done }: JobProgress,
): Promise<CanaryView> {
  const staged = await now.use(null, '', (device) => device.staged());
  if (staged === null) throw refused({ kind: 'not-staged' });
  const file = await readStationFile(station);
  return await runCanary({
    parts,
    before: { version: now.state.active?.version ?? '', file: await withRelease(file) },
    after: { version: staged.manifest.version, file: withSlot(file, now.folder, staged.slot, staged.manifest) },
    signal,
    onLost: (why) => reject(now, staged, why),
    onProgress(judged, all) {
      total(all);
      done(judged);
    },
  });
}

async function reject(now: DeviceNow, { id, manifest: { version } }: Staged, why: ReleaseWhy): Promise<void> {
  await now.use(null, '', (device) => device.reject({ id, version }, why));
  noteHistory(now.folder, { kind: 'refused', version, detail: releaseReason(why), ...causeOf(why) });
}
