// The place of a repository (a folder, a stick, an address) -> its releases as a new device would trust them.
import { readFile } from 'node:fs/promises';
import {
  httpMirror,
  type Mirror,
  MirrorSet,
  parseReleaseManifest,
  REPOSITORY_PATHS,
  type ReleaseManifest,
  sha256Hex,
  type TrustedRelease,
  type TrustedRepository,
  updateTrust,
} from '@kerf/delta-sync';
import { folderMirror } from '@kerf/delta-sync/node';
import { KerfError, systemClock } from '@kerf/protocol';
import { fetchTrusting } from '@kerf/protocol/node';
import { isAddress } from '../addresses.ts';
import type { CommandLine, OptionSpec } from '../command.ts';

export const ROOT_OPTION: Readonly<Record<string, OptionSpec>> = {
  root: {
    type: 'string',
    value: 'FILE',
    help: "root.json that is trusted (default: the repository's own first one, on its word)",
  },
};

const MAX_ROOT_BYTES = 512 * 1024;

/** What a mirror asks for before it serves. */
export interface MirrorAccess {
  /** File with a token or a device's credential; null: none. */
  readonly tokenFile: string | null;
  /** File with the certificate to trust besides the system's; null: none. */
  readonly ca: string | null;
}

export const ACCESS_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'token-file': { type: 'string', value: 'FILE', help: 'token for a mirror that asks for one, such as a registry' },
  ca: { type: 'string', value: 'FILE', help: 'certificate to trust, such as the dev-cert.pem of a registry' },
};

export function mirrorAccess(line: CommandLine): MirrorAccess {
  return { tokenFile: line.text('token-file') ?? null, ca: line.text('ca') ?? null };
}

/** An `http:` or `https:` address, else a folder. @throws {KerfError} FILE_NOT_FOUND. */
export async function mirrorOf(place: string, { tokenFile, ca }: MirrorAccess): Promise<Mirror> {
  if (!isAddress(place)) return folderMirror(place);
  const token = tokenFile === null ? null : (await readText(tokenFile)).trim();
  return httpMirror({
    url: place,
    ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(ca === null ? {} : { fetch: fetchTrusting(await readText(ca)) }),
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `'${file}' is not there or cannot be read`, { cause });
  }
}

export interface OpenRepository {
  readonly repository: TrustedRepository;
  /** @throws {KerfError} MIRROR_UNAVAILABLE, CONTENT_MISMATCH, RELEASE_INVALID. */
  readonly manifest: (release: TrustedRelease) => Promise<ReleaseManifest>;
}

/** @throws {KerfError} FILE_NOT_FOUND when there is no repository; TRUST_FAILED, METADATA_EXPIRED, CLOCK_WRONG. */
export async function openRepository(line: CommandLine, place: string): Promise<OpenRepository> {
  const mirror = await mirrorOf(place, mirrorAccess(line));
  const mirrors = new MirrorSet({ mirrors: [mirror], clock: systemClock });
  const kept = new Map<string, Uint8Array>([['root.json', await firstRoot(line, mirrors, mirror)]]);
  const repository = await updateTrust({
    source: { fetchFile: (path, maxBytes) => mirrors.readFile(mirror, path, maxBytes) },
    store: { read: async (name) => kept.get(name) ?? null, write: async (name, bytes) => void kept.set(name, bytes) },
    nowMs: Date.now(),
  });
  return {
    repository,
    async manifest(release) {
      const path = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
      const bytes = await mirrors.readFile(mirror, path, release.length);
      if (bytes === null) throw new KerfError('MIRROR_UNAVAILABLE', `${place} does not have ${path}`);
      if ((await sha256Hex(bytes)) !== release.sha256) {
        throw new KerfError('CONTENT_MISMATCH', `${path} is not the manifest that was signed for`);
      }
      return parseReleaseManifest(bytes);
    },
  };
}

async function firstRoot(line: CommandLine, mirrors: MirrorSet, mirror: Mirror): Promise<Uint8Array> {
  const file = line.text('root');
  if (file !== undefined) return await readRoot(file);
  const bytes = await mirrors.readFile(mirror, REPOSITORY_PATHS.metadata('root', 1), MAX_ROOT_BYTES);
  if (bytes === null) throw new KerfError('FILE_NOT_FOUND', `${mirror.name} holds no repository${hintFor(mirror)}`);
  return bytes;
}

function hintFor({ name }: Mirror): string {
  return /^https?:.*(?<!\/repository\/)$/.test(name) ? `; that of a registry is at ${name}repository/` : '';
}

/** @throws {KerfError} FILE_NOT_FOUND. */
export async function readRoot(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the root '${file}' is not there or cannot be read`, { cause });
  }
}
