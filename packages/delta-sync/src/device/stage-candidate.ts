// A candidate and the slot that does not run -> the slot with the candidate in it, fetched as cheaply as what runs allows.
import { KerfError } from '@kerf/protocol';
import { filesOfSide, parseReleaseManifest } from '../release/release-manifest.ts';
import type { DeviceOptions } from './device-options.ts';
import type { Installed, SlotIndex } from './device-state.ts';
import type { Candidate } from './fetch-candidate.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { DeviceLimits } from './options.ts';
import { checkSlot, MARK, stageRelease } from './stage-release.ts';

export interface Staging {
  readonly options: DeviceOptions;
  readonly limits: DeviceLimits;
  readonly active: Installed | null;
}

/** Nothing is done for a slot that holds it already, whole. @throws {KerfError} what {@link stageRelease} throws. */
export async function stageCandidate(
  staging: Staging,
  candidate: Candidate,
  slot: SlotIndex,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { storage, mirrors, side, makeHasher, clock, onEvent, onBytes } = staging.options;
  if (await isStaged(staging, candidate, slot)) return;
  let fetchedBytes = 0;
  await stageRelease({
    slot: storage.slots[slot],
    base: await installedBase(staging),
    mirrors,
    makeHasher,
    clock,
    limits: staging.limits,
    side,
    manifest: candidate.manifest,
    manifestBytes: candidate.manifestBytes,
    ...(signal === undefined ? {} : { signal }),
    ...(onBytes === undefined ? {} : { onBytes }),
    onFile: (file) => {
      fetchedBytes += file.fetchedBytes;
      onEvent?.({ kind: 'fetched', file });
    },
  });
  onEvent?.({ kind: 'staged', version: candidate.manifest.version, fetchedBytes });
}

/** Files of the release that runs; null on a new device, and where the disk has spoilt them. */
export async function installedBase({ options, active }: Staging): Promise<FetchOptions['base']> {
  if (active === null) return null;
  const slot = options.storage.slots[active.slot];
  try {
    const manifest = parseReleaseManifest(await slot.read(MARK));
    return { slot, files: filesOfSide(manifest, options.side) };
  } catch (error) {
    // What the disk has spoilt is no base; the update may well be the cure.
    if (KerfError.is(error)) return null;
    throw error;
  }
}

async function isStaged({ options }: Staging, { release }: Candidate, slot: SlotIndex): Promise<boolean> {
  try {
    const { storage, side, makeHasher } = options;
    await checkSlot({ slot: storage.slots[slot], side, makeHasher, id: release.sha256 });
    return true;
  } catch (error) {
    if (KerfError.is(error) && (error.code === 'CONTENT_MISMATCH' || error.code === 'RELEASE_INVALID')) return false;
    throw error;
  }
}
