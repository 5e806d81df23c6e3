// A repository, and what this device trusted before -> what it may trust now. The client workflow of TUF.
import { KerfError } from '@kerf/protocol';
import { REPOSITORY_PATHS, releaseOfTarget } from '../release/repository-layout.ts';
import { isDelegated } from './find-target.ts';
import {
  MAX_ROOT_BYTES,
  MAX_ROOT_ROTATIONS,
  MAX_SNAPSHOT_BYTES,
  MAX_TARGETS_BYTES,
  MAX_TIMESTAMP_BYTES,
} from './limits.ts';
import type { MetaFile, TargetFile } from './metadata.ts';
import { TrustedMetadata } from './trusted-metadata.ts';

/** Where metadata comes from. Nothing that it gives is trusted. */
export interface MetadataSource {
  /**
   * The file at a path of the repository; null when it is not there.
   * @param maxBytes after so many the source stops and throws
   * @throws {KerfError} MIRROR_UNAVAILABLE, CONTENT_MISMATCH for more than `maxBytes`.
   */
  fetchFile(path: string, maxBytes: number): Promise<Uint8Array | null>;
}

/** What a device keeps of trusted metadata, by names such as `root.json`. A write is whole or not there. */
export interface MetadataStore {
  read(name: string): Promise<Uint8Array | null>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface UpdateTrustOptions {
  readonly source: MetadataSource;
  /** Holds `root.json` at least: the one that the device was shipped with. */
  readonly store: MetadataStore;
  /** Milliseconds since 1970; null for those who sign anew what is out of date. */
  readonly nowMs: number | null;
}

/** A release that the repository vouches for. */
export interface TrustedRelease extends TargetFile {
  readonly name: string;
  readonly version: string;
  readonly targetPath: string;
}

/**
 * Brings root, timestamp, snapshot and top-level targets up to date, and keeps them.
 * @throws {KerfError} TRUST_FAILED, METADATA_EXPIRED, ROLLBACK_REFUSED, CLOCK_WRONG, and what the source throws. What was
 *   trusted before stays as it was, but for roots, each of which is whole.
 */
export async function updateTrust(options: UpdateTrustOptions): Promise<TrustedRepository> {
  const { store, nowMs } = options;
  const root = await store.read('root.json');
  if (root === null)
    throw new KerfError('TRUST_FAILED', 'this device has no trusted root: give it the root.json of its publisher');
  const trusted = new TrustedMetadata(root, nowMs);
  await updateRoots(trusted, options);
  await updateTimestamp(trusted, options);
  await updateSnapshot(trusted, options);
  const repository = new TrustedRepository(trusted, options);
  await repository.loadTargets();
  return repository;
}

/** 5.3: one root after the other, each kept before the next is asked for, until there is none. */
async function updateRoots(trusted: TrustedMetadata, { source, store }: UpdateTrustOptions): Promise<void> {
  for (let count = 0; count < MAX_ROOT_ROTATIONS; count++) {
    const path = REPOSITORY_PATHS.metadata('root', trusted.root.version + 1);
    const bytes = await source.fetchFile(path, MAX_ROOT_BYTES);
    if (bytes === null) break;
    trusted.updateRoot(bytes);
    await store.write('root.json', bytes);
  }
  trusted.finishRoot();
}

/** 5.4, after what was kept: it guards against rollback. */
async function updateTimestamp(trusted: TrustedMetadata, { source, store }: UpdateTrustOptions): Promise<void> {
  await useKept(store, 'timestamp.json', (kept) => trusted.updateTimestamp(kept, true));
  const before = trusted.timestamp;
  const bytes = await source.fetchFile(REPOSITORY_PATHS.metadata('timestamp', 1), MAX_TIMESTAMP_BYTES);
  if (bytes === null)
    throw new KerfError('MIRROR_UNAVAILABLE', 'there is no repository: it has no metadata/timestamp.json');
  trusted.updateTimestamp(bytes);
  if (trusted.timestamp !== before) await store.write('timestamp.json', bytes);
}

async function updateSnapshot(trusted: TrustedMetadata, { source, store }: UpdateTrustOptions): Promise<void> {
  const kept = await useKept(store, 'snapshot.json', (bytes) => trusted.updateSnapshot(bytes, true));
  const wanted = trusted.timestamp?.snapshot as MetaFile;
  // The kept one may be the one that is wanted: then it is checked again as if it had just come.
  const bytes =
    kept !== null && trusted.snapshot?.version === wanted.version
      ? kept
      : await source.fetchFile(
          REPOSITORY_PATHS.metadata('snapshot', wanted.version),
          wanted.length ?? MAX_SNAPSHOT_BYTES,
        );
  if (bytes === null) throw missing('snapshot.json');
  trusted.updateSnapshot(bytes);
  if (bytes !== kept) await store.write('snapshot.json', bytes);
}

/** What was kept and is no longer signed by today's keys, or damaged, counts as not there: 5.3.11, fast-forward recovery. */
async function useKept(
  store: MetadataStore,
  name: string,
  use: (bytes: Uint8Array) => void,
): Promise<Uint8Array | null> {
  const bytes = await store.read(name);
  if (bytes === null) return null;
  try {
    use(bytes);
    return bytes;
  } catch (error) {
    if (KerfError.is(error) && error.code === 'TRUST_FAILED') return null;
    throw error;
  }
}

/** Up-to-date metadata: names of models, and their releases. */
export class TrustedRepository {
  readonly #trusted: TrustedMetadata;
  readonly #options: UpdateTrustOptions;

  constructor(trusted: TrustedMetadata, options: UpdateTrustOptions) {
    this.#trusted = trusted;
    this.#options = options;
  }

  get metadata(): TrustedMetadata {
    return this.#trusted;
  }

  /** 5.6 for the top-level targets. */
  async loadTargets(): Promise<void> {
    if (this.#trusted.targets('targets') === null) await this.#load('targets', null);
  }

  /** Names that the top-level targets delegate, in their order. */
  names(): string[] {
    return (this.#trusted.targets('targets')?.roles ?? []).map(({ name }) => name);
  }

  /**
   * Releases of a name, the oldest first. 5.6.7 with one level: a model's own role, for its own paths only.
   * @throws {KerfError} RELEASE_NOT_FOUND when nobody was given the name; TRUST_FAILED, METADATA_EXPIRED.
   */
  async releases(name: string): Promise<TrustedRelease[]> {
    const role = this.#trusted.targets('targets')?.roles.find((one) => one.name === name);
    if (role === undefined) {
      throw new KerfError(
        'RELEASE_NOT_FOUND',
        `the repository has no model '${name}'; it has ${this.names().join(', ') || 'none'}`,
      );
    }
    if (this.#trusted.targets(name) === null) await this.#load(name, 'targets');
    const releases: TrustedRelease[] = [];
    for (const [targetPath, file] of this.#trusted.targets(name)?.targets ?? []) {
      const release = releaseOfTarget(targetPath);
      if (release?.name !== name || !isDelegated(role, targetPath)) continue;
      releases.push({ ...release, ...file, targetPath });
    }
    return releases.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  }

  async #load(role: string, delegator: string | null): Promise<void> {
    const { source, store } = this.#options;
    const wanted = this.#trusted.metaOf(role);
    const file = `${role}.json`;
    const kept = await useKept(store, file, (bytes) => this.#trusted.updateTargets(bytes, role, delegator));
    if (kept !== null) return;
    const path = REPOSITORY_PATHS.metadata(role, wanted.version);
    const bytes = await source.fetchFile(path, wanted.length ?? MAX_TARGETS_BYTES);
    if (bytes === null) throw missing(file);
    this.#trusted.updateTargets(bytes, role, delegator);
    await store.write(file, bytes);
  }
}

function missing(file: string): KerfError {
  return new KerfError('MIRROR_UNAVAILABLE', `the repository does not have the ${file} that is signed for`);
}
