// A trusted release -> its manifest, from the first mirror that has the one that was signed for.
import { KerfError } from '@kerf/protocol';
import { sha256Hex } from '../hash.ts';
import { MAX_MANIFEST_BYTES } from '../release/limits.ts';
import { parseReleaseManifest, type ReleaseManifest } from '../release/release-manifest.ts';
import { REPOSITORY_PATHS } from '../release/repository-layout.ts';
import type { TrustedRelease } from '../trust/update-trust.ts';
import type { MirrorSet } from './mirror-set.ts';

/** A release that can be installed, as it was signed for. */
export interface Candidate {
  readonly release: TrustedRelease;
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Uint8Array;
}

/** @throws {KerfError} RELEASE_INVALID; of the last mirror: MIRROR_UNAVAILABLE, CONTENT_MISMATCH. */
export async function fetchCandidate(mirrors: MirrorSet, name: string, release: TrustedRelease): Promise<Candidate> {
  const manifestBytes = await fetchManifest(mirrors, release);
  const manifest = parseReleaseManifest(manifestBytes);
  if (manifest.name !== name || manifest.version !== release.version) {
    throw new KerfError(
      'RELEASE_INVALID',
      `the manifest of ${release.targetPath} is of ${manifest.name} ${manifest.version}`,
    );
  }
  return { release, manifest, manifestBytes };
}

async function fetchManifest(mirrors: MirrorSet, release: TrustedRelease): Promise<Uint8Array> {
  const path = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
  if (release.length > MAX_MANIFEST_BYTES) throw new KerfError('RELEASE_INVALID', `the manifest ${path} is too long`);
  let last: unknown = null;
  for (let tries = 0; tries < mirrors.count; tries++) {
    const mirror = mirrors.best;
    try {
      const bytes = await mirrors.readFile(mirror, path, release.length);
      if (bytes !== null && (await sha256Hex(bytes)) === release.sha256) return bytes;
      last = new KerfError(
        bytes === null ? 'MIRROR_UNAVAILABLE' : 'CONTENT_MISMATCH',
        `${mirror.name}: the manifest of ${release.targetPath} ${bytes === null ? 'is not there' : 'is not the one that was signed for'}`,
      );
    } catch (error) {
      if (!KerfError.is(error)) throw error;
      last = error;
    }
    mirrors.demote(mirror);
  }
  throw last;
}
