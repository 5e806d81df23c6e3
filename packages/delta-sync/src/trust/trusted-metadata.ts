// Metadata of strangers, in the order of an update -> metadata that is trusted. Every step cites TUF's specification 1.0.
import { KerfError } from '@kerf/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf } from '../format/patch-index.ts';
import { type TufKey, verifySignature } from './keys.ts';
import { CLOCK_SLACK_MS } from './limits.ts';
import {
  type MetadataKinds,
  type MetaFile,
  parseMetadata,
  type RoleKeys,
  type RootMetadata,
  type Signed,
  type SnapshotMetadata,
  type TargetsMetadata,
  type TimestampMetadata,
} from './metadata.ts';

/** A root that is signed as it says itself: where trust begins. @throws {KerfError} TRUST_FAILED. */
export function readRoot(bytes: Uint8Array): RootMetadata {
  const signed = parseMetadata('root', bytes, 'root.json');
  requireThreshold(signed, signed.signed.keys, signed.signed.roles.root, 'root.json');
  return signed.signed;
}

/**
 * Takes root, timestamp, snapshot and targets in this order, and refuses what the specification refuses. Pure: no disk, no
 * network; the time is that of the update's start.
 * @see https://theupdateframework.github.io/specification/latest/#detailed-client-workflow
 */
export class TrustedMetadata {
  readonly #nowMs: number | null;
  #root: RootMetadata;
  #timestamp: TimestampMetadata | null = null;
  #snapshot: SnapshotMetadata | null = null;
  readonly #targets = new Map<string, TargetsMetadata>();

  /**
   * @param root of an earlier update, or shipped with the device: 5.2. An expired one is still where trust begins.
   * @param nowMs milliseconds since 1970, one for the whole update: 5.1. Null: what is out of date counts too, for those
   *   who sign it anew
   * @throws {KerfError} TRUST_FAILED.
   */
  constructor(root: Uint8Array, nowMs: number | null) {
    this.#nowMs = nowMs;
    this.#root = readRoot(root);
  }

  get root(): RootMetadata {
    return this.#root;
  }

  get timestamp(): TimestampMetadata | null {
    return this.#timestamp;
  }

  get snapshot(): SnapshotMetadata | null {
    return this.#snapshot;
  }

  targets(role: string): TargetsMetadata | null {
    return this.#targets.get(role) ?? null;
  }

  /** 5.3.4 to 5.3.7. @throws {KerfError} TRUST_FAILED, ROLLBACK_REFUSED. */
  updateRoot(bytes: Uint8Array): void {
    const next = parseMetadata('root', bytes, 'root.json');
    // 5.3.4: arbitrary software attack. By the keys of the trusted root, and by its own.
    requireThreshold(next, this.#root.keys, this.#root.roles.root, 'root.json');
    requireThreshold(next, next.signed.keys, next.signed.roles.root, 'root.json');
    // 5.3.5: rollback attack. Exactly the next one.
    if (next.signed.version !== this.#root.version + 1) {
      throw rollback(
        `root.json has version ${next.signed.version}, after ${this.#root.version} comes ${this.#root.version + 1}`,
      );
    }
    // 5.3.7: its expiry does not matter while newer ones may follow.
    this.#root = next.signed;
  }

  /** 5.3.10: once no newer root is found. @throws {KerfError} METADATA_EXPIRED. */
  finishRoot(): void {
    requireFresh(this.#root, 'root.json', this.#nowMs);
  }

  /**
   * 5.4.2 to 5.4.4.
   * @param isKept true for what an earlier update trusted: it may be out of date by now, and guards against rollback
   * @throws {KerfError} TRUST_FAILED, ROLLBACK_REFUSED, METADATA_EXPIRED.
   */
  updateTimestamp(bytes: Uint8Array, isKept = false): void {
    const { signed } = this.#verified('timestamp', bytes);
    const before = this.#timestamp;
    if (before !== null) {
      // 5.4.3.1 and 5.4.3.2: rollback attack, on the timestamp and on the snapshot that it names.
      if (signed.version < before.version) {
        throw rollback(`timestamp.json has version ${signed.version}, this device has seen ${before.version}`);
      }
      if (signed.snapshot.version < before.snapshot.version) {
        throw rollback(
          `timestamp.json names snapshot ${signed.snapshot.version}, this device has seen ${before.snapshot.version}`,
        );
      }
      // 5.4.3.1: an equal version is no news, and must not replace what is trusted.
      if (signed.version === before.version) {
        requireFresh(before, 'timestamp.json', this.#nowMs);
        return;
      }
    }
    // 5.4.4: freeze attack. A clock that is behind would take stale metadata for fresh.
    requireClock(signed, this.#nowMs);
    if (!isKept) requireFresh(signed, 'timestamp.json', this.#nowMs);
    this.#timestamp = signed;
  }

  /** 5.5.2 to 5.5.6. @param isKept as for {@link updateTimestamp}: its hash may be that of an older timestamp */
  updateSnapshot(bytes: Uint8Array, isKept = false): void {
    const wanted = need(this.#timestamp).snapshot;
    // 5.5.2: the hash of the timestamp role.
    if (!isKept) requireBytes(bytes, wanted, 'snapshot.json');
    // 5.5.3: arbitrary software attack.
    const { signed } = this.#verified('snapshot', bytes);
    if (!isKept) {
      // 5.5.4: the version of the timestamp role.
      requireVersion(signed.version, wanted, 'snapshot.json');
      // 5.5.5: rollback attack, on every role that was known before.
      for (const [file, { version }] of this.#snapshot?.meta ?? []) {
        const now = signed.meta.get(file);
        if (now === undefined) throw rollback(`snapshot.json has lost '${file}'`);
        if (now.version < version)
          throw rollback(`snapshot.json names version ${now.version} of '${file}', this device has seen ${version}`);
      }
      // 5.5.6: freeze attack.
      requireFresh(signed, 'snapshot.json', this.#nowMs);
    }
    this.#snapshot = signed;
  }

  /**
   * 5.6.2 to 5.6.6, for the top-level targets and, with `delegator`, for a delegated role (5.6.7).
   * @throws {KerfError} TRUST_FAILED, ROLLBACK_REFUSED, METADATA_EXPIRED.
   */
  updateTargets(bytes: Uint8Array, role: string, delegator: string | null): void {
    const file = `${role}.json`;
    const wanted = this.metaOf(role);
    // 5.6.2: the hash of the snapshot role.
    requireBytes(bytes, wanted, file);
    // 5.6.3: arbitrary software attack.
    const signed = parseMetadata('targets', bytes, file);
    const from = delegator === null ? null : need(this.targets(delegator));
    const keys = from === null ? this.#root.roles.targets : from.roles.find(({ name }) => name === role);
    if (keys === undefined) throw new KerfError('TRUST_FAILED', `'${delegator}' delegates nothing to '${role}'`);
    requireThreshold(signed, (from ?? this.#root).keys, keys, file);
    // 5.6.4: the version of the snapshot role.
    requireVersion(signed.signed.version, wanted, file);
    // 5.6.5: freeze attack.
    requireFresh(signed.signed, file, this.#nowMs);
    this.#targets.set(role, signed.signed);
  }

  /** What the snapshot says of a targets role. @throws {KerfError} TRUST_FAILED when it says nothing. */
  metaOf(role: string): MetaFile {
    const wanted = need(this.#snapshot).meta.get(`${role}.json`);
    if (wanted === undefined) throw new KerfError('TRUST_FAILED', `snapshot.json does not name '${role}.json'`);
    return wanted;
  }

  #verified<K extends 'timestamp' | 'snapshot'>(role: K, bytes: Uint8Array): Signed<MetadataKinds[K]> {
    const signed = parseMetadata(role, bytes, `${role}.json`);
    requireThreshold(signed, this.#root.keys, this.#root.roles[role], `${role}.json`);
    return signed;
  }
}

/**
 * The time at which a trusted key signed has been reached, whatever this device's clock says.
 * @param nowMs null: whatever the clock says is fine
 * @throws {KerfError} CLOCK_WRONG.
 */
export function requireClock({ signedAtMs }: Pick<TimestampMetadata, 'signedAtMs'>, nowMs: number | null): void {
  if (nowMs === null || signedAtMs === null || nowMs >= signedAtMs - CLOCK_SLACK_MS) return;
  throw new KerfError(
    'CLOCK_WRONG',
    `the clock of this device says ${dateOf(nowMs)}, but trusted metadata was signed on ${dateOf(signedAtMs)}: set the clock; ` +
      'where it is right, that of the publisher was ahead: a new key for timestamp (kerf keys rotate timestamp) makes devices forget it',
    { details: { nowMs, signedAtMs } },
  );
}

/**
 * @param nowMs null: what is out of date counts too
 * @throws {KerfError} METADATA_EXPIRED.
 */
export function requireFresh({ expiresMs }: { readonly expiresMs: number }, file: string, nowMs: number | null): void {
  if (nowMs === null || expiresMs > nowMs) return;
  throw new KerfError(
    'METADATA_EXPIRED',
    `${file} expired on ${dateOf(expiresMs)}, it is ${dateOf(nowMs)} by this clock: the publisher must sign again (kerf keys refresh), a mirror holds newer metadata back, or this clock is ahead`,
    { details: { file, expiresMs, nowMs } },
  );
}

/** 5.3.4 and others: as many different keys of the role as its threshold. */
function requireThreshold(
  { message, signatures }: Signed<unknown>,
  keys: ReadonlyMap<string, TufKey>,
  { keyids, threshold }: RoleKeys,
  file: string,
): void {
  const valid = new Set<string>();
  for (const keyid of keyids) {
    const [key, signature] = [keys.get(keyid), signatures.get(keyid)];
    if (key !== undefined && signature !== undefined && verifySignature(key, signature, message)) valid.add(keyid);
  }
  if (valid.size >= threshold) return;
  throw new KerfError(
    'TRUST_FAILED',
    `${file} is signed by ${valid.size} of the keys that may sign it, ${threshold} are needed: it was changed, or the root.json here is another publisher's`,
    { details: { file, valid: valid.size, threshold } },
  );
}

function requireBytes(bytes: Uint8Array, { length, sha256: hash }: MetaFile, file: string): void {
  if ((length === null || bytes.byteLength === length) && (hash === null || hexOf(sha256(bytes)) === hash)) return;
  throw new KerfError('TRUST_FAILED', `${file} is not the one that was signed for`);
}

function requireVersion(version: number, wanted: MetaFile, file: string): void {
  if (version === wanted.version) return;
  throw new KerfError('TRUST_FAILED', `${file} has version ${version}, version ${wanted.version} was signed for`);
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}

function rollback(what: string): KerfError {
  return new KerfError('ROLLBACK_REFUSED', `${what}: a mirror is stale, or somebody wants an old version back`);
}

function need<T>(value: T | null): T {
  if (value === null) throw new KerfError('INTERNAL', 'metadata is updated out of order');
  return value;
}
