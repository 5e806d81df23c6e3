// What mirrors have, and what a device runs and has left -> the release that it should have.
import { KerfError } from '@kerf/protocol';
import { type TrustedRelease, updateTrust } from '../trust/update-trust.ts';
import { checkRuntime } from './check-runtime.ts';
import type { DeviceOptions, UpdateOptions } from './device-options.ts';
import type { DeviceState } from './device-state.ts';
import { diskStore } from './disk-store.ts';
import { type Candidate, fetchCandidate } from './fetch-candidate.ts';

/**
 * @returns null when there is nothing newer, or what is newer failed here before
 * @throws {KerfError} what {@link updateTrust} throws; RELEASE_NOT_FOUND, ROLLBACK_REFUSED, RUNTIME_TOO_OLD; CONFLICT for
 *   another version than the device is pinned to.
 */
export async function findCandidate(
  options: DeviceOptions,
  { active, rejected, floor }: DeviceState,
  { version: asked = null, allowOlder = false }: UpdateOptions,
): Promise<Candidate | null> {
  const { mirrors, name, versions, onEvent, pinned = null } = options;
  if (asked !== null && pinned !== null && asked !== pinned) {
    throw new KerfError('CONFLICT', `this device is pinned to ${pinned}: take the pin away to install ${asked}`);
  }
  const version = asked ?? pinned;
  const releases = await trustedReleases(options);
  const release = version === null ? releases.at(-1) : releases.find((one) => one.version === version);
  onEvent?.({ kind: 'checked', newest: releases.at(-1)?.version ?? null });
  if (release === undefined) {
    if (version === null) return null;
    const known = releases.map((one) => one.version).join(', ');
    throw new KerfError('RELEASE_NOT_FOUND', `${name} has no version ${version}; it has ${known || 'none'}`);
  }
  if (release.sha256 === active?.id) return null;
  if (version === null && rejected.some(({ id }) => id === release.sha256)) return null;
  const candidate = await fetchCandidate(mirrors, name, release);
  const { manifest } = candidate;
  if (manifest.sequence < Math.max(floor, active?.sequence ?? 0)) {
    if (version === null) return null;
    if (!allowOlder) {
      throw new KerfError(
        'ROLLBACK_REFUSED',
        `${name} ${manifest.version} is older than what this device has run: allow older ones (--allow-older) if that is meant`,
      );
    }
  }
  checkRuntime(manifest, versions);
  return candidate;
}

/**
 * The newest releases of the model, whatever has become of them here, the newest first.
 * @throws {KerfError} what {@link findCandidate} throws for metadata and manifests.
 */
export async function newestCandidates(options: DeviceOptions, most: number): Promise<readonly Candidate[]> {
  const trusted = (await trustedReleases(options)).slice(-most).reverse();
  const found: Candidate[] = [];
  for (const release of trusted) found.push(await fetchCandidate(options.mirrors, options.name, release));
  return found;
}

async function trustedReleases({ mirrors, name, storage, wallClockMs }: DeviceOptions): Promise<TrustedRelease[]> {
  const nowMs = wallClockMs();
  let releases: TrustedRelease[] = [];
  await mirrors.trust(async (source) => {
    const repository = await updateTrust({ source, store: diskStore(storage.state), nowMs });
    releases = await repository.releases(name);
    return repository;
  });
  return releases;
}
