// A repository's folder, keys and a change -> the next versions of its metadata, whole or not there.
import { KerfError } from '@kerf/protocol';
import { REPOSITORY_PATHS } from '../../release/repository-layout.ts';
import type { MetaFile, RoleKeys, RootMetadata, TargetsMetadata } from '../../trust/metadata.ts';
import {
  metaOfBytes,
  type RootBody,
  rootJson,
  type Signer,
  signMetadata,
  snapshotJson,
  type TargetsBody,
  targetsJson,
  timestampJson,
} from '../../trust/sign-metadata.ts';
import { requireClock, requireFresh } from '../../trust/trusted-metadata.ts';
import { type MetadataStore, type TrustedRepository, updateTrust } from '../../trust/update-trust.ts';
import { expiryMs } from './expiry.ts';
import type { KeyRing } from './key-folder.ts';
import { folderSource } from './metadata-folder.ts';
import { noRepository } from './repository-lock.ts';
import { finishBrokenChange, TIMESTAMP, writeMetadata } from './write-metadata.ts';

export interface EditorOptions {
  readonly folder: string;
  readonly ring: KeyRing;
  /** What this publisher trusted before: pins the first root, refuses a repository that was set back. */
  readonly store: MetadataStore;
  readonly nowMs: number;
}

/** A role of targets without what signing adds. */
export type ReleaseRoleBody = Omit<TargetsBody, 'version' | 'expiresMs'>;

/** What to sign anew; a role that is left out keeps its metadata. */
export interface RepositoryChange {
  readonly root?: Omit<RootBody, 'version' | 'expiresMs'>;
  /** Top-level targets: which names are whose. */
  readonly targets?: ReleaseRoleBody;
  /** Roles of models, by name. */
  readonly releases?: ReadonlyMap<string, ReleaseRoleBody>;
}

/** Opened under the repository's lock. */
export class RepositoryEditor {
  readonly repository: TrustedRepository;
  readonly #options: EditorOptions;

  private constructor(repository: TrustedRepository, options: EditorOptions) {
    this.repository = repository;
    this.#options = options;
  }

  /**
   * Reads and verifies what is there; out of date or not.
   * @throws {KerfError} FILE_NOT_FOUND when there is no repository; TRUST_FAILED, ROLLBACK_REFUSED.
   */
  static async open(options: EditorOptions): Promise<RepositoryEditor> {
    await finishBrokenChange(options.folder);
    const source = folderSource(options.folder);
    if ((await options.store.read('root.json')) === null) {
      const first = await source.fetchFile(REPOSITORY_PATHS.metadata('root', 1), 1024 * 1024);
      if (first === null) throw noRepository(options.folder);
      await options.store.write('root.json', first);
    }
    return new RepositoryEditor(await updateTrust({ source, store: options.store, nowMs: null }), options);
  }

  /**
   * What signing would stumble over at its end: a clock that is behind what was signed before, a root that has expired.
   * @throws {KerfError} CLOCK_WRONG, METADATA_EXPIRED.
   */
  checkTime(): void {
    const { nowMs } = this.#options;
    const { timestamp } = this.repository.metadata;
    if (timestamp !== null) requireClock(timestamp, nowMs);
    requireFresh(this.root, 'root.json', nowMs);
  }

  get root(): RootMetadata {
    return this.repository.metadata.root;
  }

  get targets(): TargetsMetadata {
    const targets = this.repository.metadata.targets('targets');
    if (targets === null) throw new KerfError('INTERNAL', 'targets are not loaded');
    return targets;
  }

  /** Metadata of a model's role; null where it was delegated and nothing is published yet. */
  async releaseRole(name: string): Promise<TargetsMetadata | null> {
    if (this.repository.metadata.snapshot?.meta.has(`${name}.json`) !== true) return null;
    await this.repository.releases(name);
    return this.repository.metadata.targets(name);
  }

  /**
   * Signs and writes: new files first, and `timestamp.json`, which makes them count, last. Everything that is signed goes
   * through a client's verification before that.
   * @throws {KerfError} KEY_UNUSABLE when keys are missing; TRUST_FAILED when they are the wrong ones.
   */
  async commit(change: RepositoryChange): Promise<void> {
    const { ring, nowMs, folder, store } = this.#options;
    const { metadata } = this.repository;
    const files: [path: string, bytes: Uint8Array][] = [];
    const root = change.root === undefined ? null : await this.#signRoot(change.root);
    if (root !== null) files.push([REPOSITORY_PATHS.metadata('root', root.version), root.bytes]);
    const { roles } = root ?? this.root;

    const meta = new Map(metadata.snapshot?.meta ?? []);
    const put = (role: string, version: number, bytes: Uint8Array): void => {
      meta.set(`${role}.json`, metaOfBytes(version, bytes));
      files.push([REPOSITORY_PATHS.metadata(role, version), bytes]);
    };
    // Another key for `targets` makes what the old one signed void.
    const isVoid = root !== null && !sameKeys(roles.targets, this.root.roles.targets);
    const targetsRole = change.targets ?? (isVoid ? { ...this.targets, keys: this.targets.keys.values() } : null);
    if (targetsRole !== null) {
      const version = nextVersion(meta.get('targets.json'));
      const body = targetsJson({ ...targetsRole, version, expiresMs: expiryMs('targets', nowMs) });
      put('targets', version, await signMetadata(body, await ring.signersOf('targets', roles.targets)));
    }
    const delegations = change.targets?.roles ?? this.targets.roles;
    for (const [name, body] of change.releases ?? []) {
      const role = delegations.find((one) => one.name === name);
      if (role === undefined) throw new KerfError('INTERNAL', `nobody was given '${name}'`);
      const version = nextVersion(meta.get(`${name}.json`));
      const json = targetsJson({ ...body, version, expiresMs: expiryMs('release', nowMs) });
      put(name, version, await signMetadata(json, await ring.signersOf(name, role)));
    }
    const snapshotVersion = (metadata.timestamp?.snapshot.version ?? 0) + 1;
    const snapshot = await signMetadata(
      snapshotJson({ version: snapshotVersion, expiresMs: expiryMs('snapshot', nowMs), meta }),
      await ring.signersOf('snapshot', roles.snapshot),
    );
    files.push([REPOSITORY_PATHS.metadata('snapshot', snapshotVersion), snapshot]);
    const timestamp = await signMetadata(
      timestampJson({
        version: (metadata.timestamp?.version ?? 0) + 1,
        expiresMs: expiryMs('timestamp', nowMs),
        snapshot: metaOfBytes(snapshotVersion, snapshot),
        signedAtMs: nowMs,
      }),
      await ring.signersOf('timestamp', roles.timestamp),
    );
    files.push([TIMESTAMP, timestamp]);
    const kept = await this.#verify(new Map(files));
    await writeMetadata(folder, root?.version ?? null, files);
    for (const [name, bytes] of kept) await store.write(name, bytes);
  }

  /** As a device will see it, from a copy of what this publisher trusts. Returns what to trust from then on. */
  async #verify(fresh: ReadonlyMap<string, Uint8Array>): Promise<ReadonlyMap<string, Uint8Array>> {
    const { folder, store, nowMs } = this.#options;
    const kept = new Map<string, Uint8Array>();
    const there = folderSource(folder);
    const repository = await updateTrust({
      source: { fetchFile: async (file, maxBytes) => fresh.get(file) ?? (await there.fetchFile(file, maxBytes)) },
      store: {
        read: async (name) => kept.get(name) ?? (await store.read(name)),
        write: async (name, bytes) => void kept.set(name, bytes),
      },
      nowMs,
    });
    for (const name of repository.names()) {
      if (repository.metadata.snapshot?.meta.has(`${name}.json`) === true) await repository.releases(name);
    }
    return kept;
  }

  async #signRoot(
    root: Omit<RootBody, 'version' | 'expiresMs'>,
  ): Promise<Omit<RootBody, 'keys'> & { bytes: Uint8Array }> {
    const { ring, nowMs } = this.#options;
    const body: RootBody = { ...root, version: this.root.version + 1, expiresMs: expiryMs('root', nowMs) };
    const bytes = await signMetadata(rootJson(body), await rootSigners(ring, this.root.roles.root, root.roles.root));
    return { ...body, bytes };
  }
}

/** By the keys of the old root and by those of the new one. */
async function rootSigners(ring: KeyRing, before: RoleKeys, after: RoleKeys): Promise<Signer[]> {
  const signers = [...(await ring.signersOf('root', before)), ...(await ring.signersOf('root', after))];
  return [...new Set(signers)];
}

function sameKeys(a: RoleKeys, b: RoleKeys): boolean {
  return a.threshold === b.threshold && [...a.keyids].sort().join() === [...b.keyids].sort().join();
}

function nextVersion(before: MetaFile | undefined): number {
  return (before?.version ?? 0) + 1;
}
