// A repository of TUF metadata in memory, with keys, that tests change as an attacker or a careless publisher would.
import {
  ed25519Key,
  keyIdOf,
  type MetadataSource,
  type MetadataStore,
  metaOfBytes,
  rootJson,
  type Signer,
  signMetadata,
  snapshotJson,
  TOP_ROLES,
  type TopRole,
  type TrustedRepository,
  targetsJson,
  timestampJson,
  updateTrust,
} from '@kerf/delta-sync';
import { keygen, sign } from '@noble/ed25519';

export const NOW_MS = Date.parse('2026-11-26T12:00:00Z');
export const DAY_MS = 24 * 3600 * 1000;

export function testSigner(): Signer {
  const { secretKey, publicKey } = keygen();
  return { key: ed25519Key(hex(publicKey)), sign: async (message) => sign(message, secretKey) };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

type Json = Record<string, unknown>;

/** Holds one file for each path, as a mirror does. Every `publish` makes the next versions of what is asked for. */
export class TestRepository {
  readonly files = new Map<string, Uint8Array>();
  readonly signers: Record<TopRole | 'surface', Signer[]> = {
    root: [testSigner()],
    timestamp: [testSigner()],
    snapshot: [testSigner()],
    targets: [testSigner()],
    surface: [testSigner()],
  };
  readonly threshold: Record<TopRole | 'surface', number> = {
    root: 1,
    timestamp: 1,
    snapshot: 1,
    targets: 1,
    surface: 1,
  };
  readonly versions: Record<TopRole | 'surface', number> = {
    root: 0,
    timestamp: 0,
    snapshot: 0,
    targets: 0,
    surface: 0,
  };
  readonly expiresMs: Record<TopRole | 'surface', number> = {
    root: NOW_MS + 300 * DAY_MS,
    timestamp: NOW_MS + 7 * DAY_MS,
    snapshot: NOW_MS + 30 * DAY_MS,
    targets: NOW_MS + 100 * DAY_MS,
    surface: NOW_MS + 100 * DAY_MS,
  };
  signedAtMs = NOW_MS - 3600_000;
  targets = new Map([['surface/1.0.json', { length: 3, sha256: 'ab'.repeat(32), sequence: 1 as number | null }]]);
  /** Changes a body before it is signed. */
  edit: (role: string, body: Json) => Json = (_, body) => body;
  /** What the last root was signed with, to sign the next one too. */
  #before: Signer[] = [];

  async publishRoot(): Promise<void> {
    const version = ++this.versions.root;
    const roles = Object.fromEntries(
      TOP_ROLES.map((role) => [
        role,
        { keyids: this.signers[role].map(({ key }) => keyIdOf(key)), threshold: this.threshold[role] },
      ]),
    ) as Record<TopRole, { keyids: string[]; threshold: number }>;
    const keys = TOP_ROLES.flatMap((role) => this.signers[role].map(({ key }) => key));
    const body = this.edit('root', rootJson({ version, expiresMs: this.expiresMs.root, keys, roles }) as Json);
    const signers = [...new Set([...this.#before, ...this.signers.root])];
    this.files.set(`metadata/${version}.root.json`, await signMetadata(body, signers));
    this.#before = this.signers.root;
  }

  /** Targets, the model's role, snapshot and timestamp. */
  async publish(roles: readonly string[] = ['surface', 'targets', 'snapshot', 'timestamp']): Promise<void> {
    for (const role of roles) {
      if (role === 'surface' || role === 'targets') await this.#publishTargets(role);
      if (role === 'snapshot') await this.#publishSnapshot();
      if (role === 'timestamp') await this.#publishTimestamp();
    }
  }

  #publishTargets = async (role: 'surface' | 'targets'): Promise<void> => {
    const version = ++this.versions[role];
    const delegated = {
      name: 'surface',
      keyids: this.signers.surface.map(({ key }) => keyIdOf(key)),
      threshold: this.threshold.surface,
      terminating: true,
      paths: ['surface/*'],
    };
    const isTop = role === 'targets';
    const body = targetsJson({
      version,
      expiresMs: this.expiresMs[role],
      targets: isTop ? new Map() : this.targets,
      roles: isTop ? [delegated] : [],
      keys: isTop ? this.signers.surface.map(({ key }) => key) : [],
    });
    await this.#put(role, version, body);
  };

  #publishSnapshot = async (): Promise<void> => {
    const version = ++this.versions.snapshot;
    const meta = new Map(
      (['targets', 'surface'] as const).map((role) => {
        const bytes = this.files.get(`metadata/${this.versions[role]}.${role}.json`) as Uint8Array;
        return [`${role}.json`, metaOfBytes(this.versions[role], bytes)] as const;
      }),
    );
    await this.#put('snapshot', version, snapshotJson({ version, expiresMs: this.expiresMs.snapshot, meta }));
  };

  #publishTimestamp = async (): Promise<void> => {
    const version = ++this.versions.timestamp;
    const bytes = this.files.get(`metadata/${this.versions.snapshot}.snapshot.json`) as Uint8Array;
    const snapshot = metaOfBytes(this.versions.snapshot, bytes);
    const body = timestampJson({ version, expiresMs: this.expiresMs.timestamp, snapshot, signedAtMs: this.signedAtMs });
    await this.#put('timestamp', version, body);
  };

  async #put(role: TopRole | 'surface', version: number, body: object): Promise<void> {
    const path = role === 'timestamp' ? 'metadata/timestamp.json' : `metadata/${version}.${role}.json`;
    this.files.set(path, await signMetadata(this.edit(role, body as Json), this.signers[role]));
  }

  /** Roots, then everything. */
  static async create(change: (repository: TestRepository) => void = () => {}): Promise<TestRepository> {
    const repository = new TestRepository();
    change(repository);
    await repository.publishRoot();
    await repository.publish();
    return repository;
  }
}

/** A device: what it keeps, what it asked for, and its clock. */
export class TestDevice {
  readonly kept = new Map<string, Uint8Array>();
  readonly asked: string[] = [];
  nowMs: number | null = NOW_MS;
  readonly source: MetadataSource;
  readonly store: MetadataStore;

  constructor(repository: TestRepository) {
    this.kept.set('root.json', repository.files.get('metadata/1.root.json') as Uint8Array);
    this.source = {
      fetchFile: async (path) => {
        this.asked.push(path);
        return repository.files.get(path) ?? null;
      },
    };
    this.store = {
      read: async (name) => this.kept.get(name) ?? null,
      write: async (name, bytes) => void this.kept.set(name, bytes),
    };
  }

  refresh(): Promise<TrustedRepository> {
    this.asked.length = 0;
    return updateTrust({ source: this.source, store: this.store, nowMs: this.nowMs });
  }

  /** Version of what is kept. */
  version(role: string): number {
    const bytes = this.kept.get(`${role}.json`);
    if (bytes === undefined) return 0;
    return (JSON.parse(new TextDecoder().decode(bytes)) as { signed: { version: number } }).signed.version;
  }
}
