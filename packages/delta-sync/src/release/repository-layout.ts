// What a repository holds -> where it lies, the same in a folder, on a USB stick and behind any static HTTP server.
import { KerfError } from '@kerf/protocol';
import { NAME_PATTERN } from './release-manifest.ts';

/**
 * ```
 * metadata/N.root.json            trust, from the first root on; N.root.json is signed by the keys of N-1 too
 * metadata/timestamp.json         the only file that is ever replaced
 * metadata/N.snapshot.json
 * metadata/N.targets.json         top-level targets: delegates each model's name to its publisher's keys
 * metadata/N.NAME.json            targets of one model: NAME/VERSION.json
 * targets/NAME/HASH.VERSION.json  release manifests
 * blobs/HH/HASH                   files of releases by their SHA-256; HH are its first two digits
 * deltas/FROM-TO.kdelta           what turns the file FROM into the file TO; FROM is `none` for a compressed file
 * ```
 * Everything but `timestamp.json` keeps its bytes for ever, so any cache may hold it.
 */
export const REPOSITORY_PATHS = {
  metadata: (role: string, version: number): string =>
    role === 'timestamp' ? 'metadata/timestamp.json' : `metadata/${version}.${role}.json`,
  /** With consistent snapshots, as TUF names target files. */
  target: (targetPath: string, sha256: string): string => {
    const slash = targetPath.lastIndexOf('/') + 1;
    return `targets/${targetPath.slice(0, slash)}${sha256}.${targetPath.slice(slash)}`;
  },
  blob: (sha256: string): string => `blobs/${sha256.slice(0, 2)}/${sha256}`,
  delta: (from: string | null, to: string): string => `deltas/${from ?? 'none'}-${to}.kdelta`,
} as const;

/** TUF target path of a release's manifest. */
export function releaseTarget(name: string, version: string): string {
  return `${name}/${version}.json`;
}

/** The release of a target path; null for a target that is none. */
export function releaseOfTarget(targetPath: string): { readonly name: string; readonly version: string } | null {
  const match = /^([^/]+)\/([^/]+)\.json$/.exec(targetPath);
  return match === null ? null : { name: match[1] as string, version: match[2] as string };
}

/** Names of TUF's own roles, which no model can have. */
const RESERVED_NAMES = new Set(['root', 'timestamp', 'snapshot', 'targets']);

/** @throws {KerfError} INVALID_ARGUMENT. */
export function checkReleaseName(name: string): void {
  if (RESERVED_NAMES.has(name)) throw new KerfError('INVALID_ARGUMENT', `a model cannot be called '${name}'`);
  if (!NAME_PATTERN.test(name)) {
    throw new KerfError('INVALID_ARGUMENT', `the name of a model is written with a-z, 0-9, . _ -, got '${name}'`);
  }
}
