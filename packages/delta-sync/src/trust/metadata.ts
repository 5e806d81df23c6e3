// The four kinds of TUF metadata: their types, and JSON of strangers -> checked metadata.
import { JsonFields, type JsonRecord } from '../checked-json.ts';
import { canonicalJson } from './canonical-json.ts';
import { keyIdOf, type TufKey } from './keys.ts';
import { MAX_KEYS, MAX_NAMED_FILES, MAX_SIGNATURES } from './limits.ts';

export const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** Who signs a role, and how many of them must. */
export interface RoleKeys {
  readonly keyids: readonly string[];
  readonly threshold: number;
}

/** What metadata says of other metadata. */
export interface MetaFile {
  readonly version: number;
  readonly length: number | null;
  /** Hex SHA-256. */
  readonly sha256: string | null;
}

export interface TargetFile {
  readonly length: number;
  readonly sha256: string;
  /** Of a release: where it stands among those of its name. Null for targets that other tools made. */
  readonly sequence: number | null;
}

/** Our own key in a target's `custom`. */
export const SEQUENCE = 'x-kerf-sequence';

export interface DelegatedRole extends RoleKeys {
  readonly name: string;
  readonly terminating: boolean;
  /** Patterns with `*` and `?` within a part of a path. */
  readonly paths: readonly string[];
}

interface Common {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
}

export interface RootMetadata extends Common {
  readonly type: 'root';
  readonly keys: ReadonlyMap<string, TufKey>;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
}

export interface TimestampMetadata extends Common {
  readonly type: 'timestamp';
  readonly snapshot: MetaFile;
  /** When it was signed, where the signer says so: no device's clock is before that. */
  readonly signedAtMs: number | null;
}

/** Our own key in `timestamp.json`; clients that do not know it pass it over. */
export const SIGNED_AT = 'x-kerf-signed-at';

export interface SnapshotMetadata extends Common {
  readonly type: 'snapshot';
  /** By file name without a version: `targets.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>;
}

export interface TargetsMetadata extends Common {
  readonly type: 'targets';
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly keys: ReadonlyMap<string, TufKey>;
  readonly roles: readonly DelegatedRole[];
}

export interface MetadataKinds {
  readonly root: RootMetadata;
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly targets: TargetsMetadata;
}

export interface Signed<T> {
  readonly signed: T;
  /** What the signatures cover. */
  readonly message: Uint8Array;
  /** Hex signatures by key id. */
  readonly signatures: ReadonlyMap<string, string>;
}

/** Of the specification; another major one would mean something else. */
export const SPEC_VERSION = '1.0.31';

/**
 * @param name of the file, for messages
 * @throws {KerfError} TRUST_FAILED naming the first field that is wrong.
 * @see TUF specification 4
 */
export function parseMetadata<K extends TopRole>(type: K, bytes: Uint8Array, name: string): Signed<MetadataKinds[K]> {
  const fields = new JsonFields(`metadata '${name}'`, 'TRUST_FAILED');
  const root = fields.parse(bytes);
  const signed = fields.record(root['signed'], 'signed');
  if (signed['_type'] !== type) throw fields.invalid('_type', `'${type}'`);
  const spec = fields.text(signed['spec_version'], 'spec_version');
  if (!spec.startsWith('1.')) throw fields.fault(`it follows version ${spec.slice(0, 16)} of TUF, this kerf reads 1.x`);
  const common = {
    version: fields.integer(signed['version'], 'version', 1),
    expiresMs: fields.moment(signed['expires'], 'expires'),
  };
  return {
    signed: PARSERS[type](fields, signed, common),
    message: canonicalJson(signed),
    signatures: signaturesOf(fields, root['signatures']),
  };
}

type Parse<T> = (fields: JsonFields, signed: JsonRecord, common: Common) => T;

const PARSERS: { readonly [K in TopRole]: Parse<MetadataKinds[K]> } = {
  root(fields, signed, common) {
    if (signed['consistent_snapshot'] !== true)
      throw fields.invalid('consistent_snapshot', 'true: kerf reads no other');
    const roles = fields.record(signed['roles'], 'roles');
    const keys = keysOf(fields, signed['keys']);
    const role = (name: TopRole): RoleKeys => roleKeys(fields, roles[name], `roles.${name}`);
    return {
      type: 'root',
      ...common,
      keys,
      roles: { root: role('root'), timestamp: role('timestamp'), snapshot: role('snapshot'), targets: role('targets') },
    };
  },
  timestamp(fields, signed, common) {
    const meta = fields.record(signed['meta'], 'meta');
    return {
      type: 'timestamp',
      ...common,
      snapshot: metaFile(fields, meta['snapshot.json'], 'meta.snapshot.json'),
      signedAtMs: signed[SIGNED_AT] === undefined ? null : fields.moment(signed[SIGNED_AT], SIGNED_AT),
    };
  },
  snapshot(fields, signed, common) {
    const entries = fields.entries(signed['meta'], 'meta', MAX_NAMED_FILES);
    return {
      type: 'snapshot',
      ...common,
      meta: new Map(entries.map(([file, at]) => [file, metaFile(fields, at, 'meta')])),
    };
  },
  targets(fields, signed, common) {
    const entries = fields.entries(signed['targets'], 'targets', MAX_NAMED_FILES);
    const delegations =
      signed['delegations'] === undefined ? null : fields.record(signed['delegations'], 'delegations');
    const roles = delegations === null ? [] : fields.list(delegations['roles'], 'delegations.roles', MAX_NAMED_FILES);
    return {
      type: 'targets',
      ...common,
      targets: new Map(entries.map(([path, target]) => [path, targetFile(fields, target)])),
      keys: delegations === null ? new Map() : keysOf(fields, delegations['keys']),
      roles: roles.map((role) => delegatedRole(fields, role)),
    };
  },
};

function signaturesOf(fields: JsonFields, value: unknown): Map<string, string> {
  const signatures = new Map<string, string>();
  for (const entry of fields.list(value, 'signatures', MAX_SIGNATURES)) {
    const object = fields.record(entry, 'signatures');
    const keyid = fields.text(object['keyid'], 'signatures.keyid');
    // One key counts once, however often it signs.
    if (signatures.has(keyid)) throw fields.fault('two signatures are by the same key');
    signatures.set(keyid, fields.text(object['sig'], 'signatures.sig', 65_536));
  }
  return signatures;
}

/** A key whose id is not that of its content is left out: one key under two ids would count twice. */
function keysOf(fields: JsonFields, value: unknown): Map<string, TufKey> {
  const keys = new Map<string, TufKey>();
  for (const [keyid, entry] of fields.entries(value, 'keys', MAX_KEYS)) {
    const object = fields.record(entry, 'keys');
    const key = {
      ...object,
      keytype: fields.text(object['keytype'], 'keys.keytype'),
      scheme: fields.text(object['scheme'], 'keys.scheme'),
      keyval: fields.record(object['keyval'], 'keys.keyval'),
    };
    if (keyIdOf(key) === keyid) keys.set(keyid, key);
  }
  return keys;
}

function roleKeys(fields: JsonFields, value: unknown, field: string): RoleKeys {
  const object = fields.record(value, field);
  const keyids = fields.list(object['keyids'], `${field}.keyids`, MAX_KEYS).map((id) => fields.text(id, field));
  if (new Set(keyids).size < keyids.length) throw fields.fault(`'${field}' names a key twice`);
  return { keyids, threshold: fields.integer(object['threshold'], `${field}.threshold`, 1) };
}

function metaFile(fields: JsonFields, value: unknown, field: string): MetaFile {
  const object = fields.record(value, field);
  return {
    version: fields.integer(object['version'], `${field}.version`, 1),
    length: object['length'] === undefined ? null : fields.integer(object['length'], `${field}.length`),
    sha256: object['hashes'] === undefined ? null : sha256Of(fields, object['hashes'], field),
  };
}

function targetFile(fields: JsonFields, value: unknown): TargetFile {
  const object = fields.record(value, 'targets');
  const custom = object['custom'] === undefined ? null : fields.record(object['custom'], 'targets.custom');
  const sequence = custom?.[SEQUENCE] ?? null;
  return {
    length: fields.integer(object['length'], 'targets.length'),
    sha256: sha256Of(fields, object['hashes'], 'targets'),
    sequence: sequence === null ? null : fields.integer(sequence, `targets.custom.${SEQUENCE}`, 1),
  };
}

function sha256Of(fields: JsonFields, value: unknown, field: string): string {
  return fields.digest(fields.record(value, `${field}.hashes`)['sha256'], `${field}.hashes.sha256`);
}

function delegatedRole(fields: JsonFields, value: unknown): DelegatedRole {
  const object = fields.record(value, 'delegations.roles');
  const name = fields.text(object['name'], 'delegations.roles.name', 255);
  // The name becomes part of a file's name at the mirror.
  if (!/^[\w.-]+$/.test(name) || TOP_ROLES.some((role) => role === name)) {
    throw fields.invalid('delegations.roles.name', 'a name of letters, digits, . _ -');
  }
  if (object['path_hash_prefixes'] !== undefined) throw fields.fault('delegation by hash prefix is not supported');
  if (typeof object['terminating'] !== 'boolean')
    throw fields.invalid('delegations.roles.terminating', 'true or false');
  return {
    name,
    terminating: object['terminating'],
    paths: fields.list(object['paths'], 'delegations.roles.paths', MAX_KEYS).map((path) => fields.text(path, 'paths')),
    ...roleKeys(fields, value, 'delegations.roles'),
  };
}
