// A draft and a repository -> the draft as a signed release, or a clear error and the repository as it was.
import { KerfError } from '@kerf/protocol';
import type { BytePatcher } from '../../encode/byte-rival.ts';
import type { SourceFile } from '../../encode/source-files.ts';
import type { FormatVersion } from '../../format/patch-index.ts';
import { sha256Hex } from '../../hash.ts';
import { counterpartOf } from '../../release/counterpart.ts';
import {
  type ListedDelta,
  parseReleaseManifest,
  type ReleaseFile,
  type ReleaseManifest,
  writeReleaseManifest,
} from '../../release/release-manifest.ts';
import { checkReleaseName, REPOSITORY_PATHS, releaseTarget } from '../../release/repository-layout.ts';
import type { DelegatedRole, TargetsMetadata } from '../../trust/metadata.ts';
import type { MetadataStore, TrustedRelease, TrustedRepository } from '../../trust/update-trust.ts';
import { openBlob } from './blob-source.ts';
import type { KeyFile, KeyRing } from './key-folder.ts';
import { folderSource } from './metadata-folder.ts';
import type { ReleaseDraft } from './release-draft.ts';
import { RepositoryEditor } from './repository-editor.ts';
import { withRepositoryLock } from './repository-lock.ts';
import { storeBlob, storeDelta } from './store-blobs.ts';
import { writeInto } from './write-metadata.ts';

/** What the manifest says besides the files. */
export type ReleaseWords = Pick<
  ReleaseManifest,
  'name' | 'version' | 'tails' | 'runtime' | 'station' | 'golden' | 'snapped' | 'notes' | 'createdBy'
>;

/** Smaller files are fetched whole: a request more costs as much. */
const LEAST_DELTA_BYTES = 4096;

export interface PublishOptions {
  readonly repository: string;
  readonly ring: KeyRing;
  /** What this publisher trusted before. */
  readonly store: MetadataStore;
  readonly nowMs: number;
  readonly draft: ReleaseDraft;
  readonly words: ReleaseWords;
  /** Releases before this one that devices get deltas from. @default 2 */
  readonly deltasFrom?: number;
  /** Tried against each segment of a delta, such as {@link bsdiffPatcher}'s; the smaller one is kept. @default none */
  readonly patcher?: BytePatcher;
  /** The newest version of the format of deltas: 1 for devices whose kerf reads no other. @default the last */
  readonly deltaFormat?: FormatVersion;
  /** Called before each step that takes time. */
  readonly onStep?: (what: string) => void;
  /** Aborted: nothing more is begun. What was stored of blobs and deltas stays, vouched for by nobody. */
  readonly signal?: AbortSignal;
}

export interface PublishReport {
  readonly id: string;
  readonly manifest: ReleaseManifest;
  /** False when this very release was there already. */
  readonly isNew: boolean;
}

/**
 * Stores blobs and deltas, then, under the repository's lock, the manifest and the metadata that vouches for it.
 * @throws {KerfError} RELEASE_CONFLICT when the version exists with other content or another publisher is at work;
 *   CLOCK_WRONG, METADATA_EXPIRED, KEY_UNUSABLE, TRUST_FAILED, RELEASE_INVALID, INVALID_ARGUMENT, CANCELLED.
 */
export async function publishRelease(options: PublishOptions): Promise<PublishReport> {
  const { repository, draft, words, ring, store, nowMs } = options;
  checkReleaseName(words.name);
  // Before anything takes its time: what can never be published is said at once.
  writeReleaseManifest(manifestOf(options, 1, new Map()));
  const before = await withRepositoryLock(repository, async () => {
    const editor = await openForRelease(options, words.name);
    // The same once more goes on: it puts back what the repository may have lost.
    await existing(editor.repository, await editor.releaseRole(words.name), options);
    return editor;
  });
  for (const { source, described } of draft.files) {
    begin(`storing ${described.name}`, options);
    await storeBlob(repository, source.reader, source.sha256);
  }
  const deltas = await makeDeltas(before, options);
  checkWanted(options);
  return await withRepositoryLock(repository, async () => {
    const editor = await RepositoryEditor.open({ folder: repository, ring, store, nowMs });
    const role = await editor.releaseRole(words.name);
    const there = await existing(editor.repository, role, options);
    if (there !== null) return there;
    const last =
      role === null ? 0 : Math.max(role.targets.size, ...[...role.targets.values()].map((one) => one.sequence ?? 0));
    const manifest = manifestOf(options, last + 1, deltas);
    const bytes = writeReleaseManifest(manifest);
    const id = await sha256Hex(bytes);
    const targetPath = releaseTarget(words.name, words.version);
    await writeInto(repository, REPOSITORY_PATHS.target(targetPath, id), bytes);
    const target = { length: bytes.byteLength, sha256: id, sequence: manifest.sequence };
    const targets = new Map([...(role?.targets ?? []), [targetPath, target] as const]);
    await editor.commit({
      ...delegationFor(editor.targets, words.name, ring.files),
      releases: new Map([[words.name, { targets, roles: [], keys: [] }]]),
    });
    return { id, manifest, isNew: true };
  });
}

/** Who publishes, where and when. */
export type Publishing = Pick<PublishOptions, 'repository' | 'ring' | 'store' | 'nowMs'>;

/**
 * Whether a release of this name could be signed now: before samples are run and deltas made for it. While another publisher is at
 * work nothing is known, and nothing said: it may be done by then.
 * @throws {KerfError} CLOCK_WRONG, METADATA_EXPIRED, KEY_UNUSABLE, TRUST_FAILED, FILE_NOT_FOUND.
 */
export async function checkCanPublish(publishing: Publishing, name: string): Promise<void> {
  try {
    await withRepositoryLock(publishing.repository, () => openForRelease(publishing, name));
  } catch (error) {
    if (!KerfError.is(error) || error.code !== 'RELEASE_CONFLICT') throw error;
  }
}

/** Under the repository's lock. */
async function openForRelease({ repository, ring, store, nowMs }: Publishing, name: string): Promise<RepositoryEditor> {
  const editor = await RepositoryEditor.open({ folder: repository, ring, store, nowMs });
  editor.checkTime();
  await requireKeys(editor, name, ring);
  return editor;
}

/** A step that takes time, unless nobody wants it any more. @throws {KerfError} CANCELLED. */
function begin(what: string, options: Pick<PublishOptions, 'onStep' | 'signal'>): void {
  checkWanted(options);
  options.onStep?.(what);
}

function checkWanted({ signal }: Pick<PublishOptions, 'signal'>): void {
  if (signal?.aborted === true) throw new KerfError('CANCELLED', 'publishing was interrupted; nothing was published');
}

function manifestOf(
  { draft, words, nowMs }: PublishOptions,
  sequence: number,
  deltas: ReadonlyMap<string, ReleaseFile['deltas']>,
): ReleaseManifest {
  return {
    format: 'kerf-release/1',
    ...words,
    sequence,
    createdAt: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    kind: draft.kind,
    files: draft.files.map(({ described }) => ({ ...described, deltas: deltas.get(described.name) ?? [] })),
    entry: draft.entry,
    pair: draft.pair,
    tails: draft.pair === null ? [] : [...new Set([draft.pair, ...words.tails])],
  };
}

/** The manifest of a trusted release, checked against its signed hash. @throws {KerfError} MIRROR_UNAVAILABLE, CONTENT_MISMATCH. */
export async function readManifestOf(repository: string, release: TrustedRelease): Promise<ReleaseManifest> {
  const file = REPOSITORY_PATHS.target(release.targetPath, release.sha256);
  const bytes = await folderSource(repository).fetchFile(file, release.length);
  if (bytes === null)
    throw new KerfError('MIRROR_UNAVAILABLE', `the manifest of ${release.targetPath} is not in the repository`);
  if ((await sha256Hex(bytes)) !== release.sha256) {
    throw new KerfError('CONTENT_MISMATCH', `the manifest of ${release.targetPath} is not the one that was signed for`);
  }
  return parseReleaseManifest(bytes);
}

/** The same version again: fine when it is the same, a conflict when it is not. */
async function existing(
  trusted: TrustedRepository,
  role: TargetsMetadata | null,
  { repository, words, draft }: PublishOptions,
): Promise<PublishReport | null> {
  if (role === null) return null;
  const release = (await trusted.releases(words.name)).find(({ version }) => version === words.version);
  if (release === undefined) return null;
  const manifest = await readManifestOf(repository, release);
  const filesOf = (files: readonly Pick<ReleaseFile, 'name' | 'sha256'>[]): string =>
    files
      .map(({ name, sha256 }) => `${name} ${sha256}`)
      .sort()
      .join('\n');
  if (filesOf(manifest.files) === filesOf(draft.files.map(({ described }) => described))) {
    return { id: release.sha256, manifest, isNew: false };
  }
  throw new KerfError(
    'RELEASE_CONFLICT',
    `${words.name} ${words.version} is published already, with other files: give this one another version`,
  );
}

/** All keys that the release will be signed with, opened: a wrong passphrase is said before deltas are made. */
async function requireKeys({ root, targets }: RepositoryEditor, name: string, ring: KeyRing): Promise<void> {
  const { snapshot, timestamp } = root.roles;
  const role = targets.roles.find((one) => one.name === name);
  if (role === undefined) {
    delegationFor(targets, name, ring.files);
    await ring.signersOf('targets', root.roles.targets);
  } else await ring.signersOf(name, role);
  await ring.signersOf('snapshot', snapshot);
  await ring.signersOf('timestamp', timestamp);
}

/** A name that nobody has yet goes to the keys that were made for it. */
function delegationFor(targets: TargetsMetadata, name: string, files: readonly KeyFile[]): object {
  if (targets.roles.some((role) => role.name === name)) return {};
  const keys = files.filter(({ role }) => role === name).map(({ key }) => key);
  if (keys.length === 0) {
    throw new KerfError(
      'KEY_UNUSABLE',
      `'${name}' is new, and there is no key for it: kerf keys add ${name} makes one`,
    );
  }
  const keyids = files.filter(({ role }) => role === name).map(({ keyid }) => keyid);
  const role: DelegatedRole = { name, keyids, threshold: 1, terminating: true, paths: [`${name}/*`] };
  return {
    targets: { targets: targets.targets, roles: [...targets.roles, role], keys: [...targets.keys.values(), ...keys] },
  };
}

/** Of each file: itself compressed, and from what it was in the last releases. */
async function makeDeltas(editor: RepositoryEditor, options: PublishOptions): Promise<Map<string, ListedDelta[]>> {
  const { repository, draft, words, deltasFrom = 2 } = options;
  const manifests: ReleaseManifest[] = [];
  if (deltasFrom > 0 && (await editor.releaseRole(words.name)) !== null) {
    const releases = await editor.repository.releases(words.name);
    for (const release of releases.slice(-deltasFrom)) manifests.push(await readManifestOf(repository, release));
  }
  const byFile = new Map<string, ListedDelta[]>();
  for (const { source, described } of draft.files) {
    const { name, bytes, sha256 } = described;
    if (bytes < LEAST_DELTA_BYTES) continue;
    begin(`compressing ${name}`, options);
    const compressed = await storeDelta(repository, null, source, bytes);
    const listed: ListedDelta[] = compressed === null ? [] : [compressed];
    const seen = new Set([sha256]);
    for (const manifest of manifests) {
      const base = counterpartOf(
        described,
        draft.files.map((file) => file.described),
        manifest,
      );
      if (base === undefined || seen.has(base.sha256)) continue;
      seen.add(base.sha256);
      begin(`making the delta of ${name} from ${manifest.version}`, options);
      const delta = await deltaFrom(options, manifest, base, source, compressed?.bytes ?? bytes);
      if (delta !== null) listed.push(delta);
    }
    byFile.set(name, listed);
  }
  return byFile;
}

async function deltaFrom(
  { repository, patcher, deltaFormat }: PublishOptions,
  manifest: ReleaseManifest,
  base: ReleaseFile,
  target: SourceFile,
  bestBytes: number,
): Promise<ListedDelta | null> {
  const blob = await openBlob(repository, manifest, base);
  try {
    return await storeDelta(repository, blob.source, target, bestBytes, {
      ...(patcher === undefined ? {} : { patcher }),
      ...(deltaFormat === undefined ? {} : { format: deltaFormat }),
    });
  } finally {
    await blob.close();
  }
}
