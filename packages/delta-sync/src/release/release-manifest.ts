// The manifest of a release <-> bytes: which files, with which hashes, for which side, and what they may be used with.
import { JsonFields, type JsonRecord } from '../checked-json.ts';
import { isSafeFileName } from '../format/file-name.ts';
import {
  MAX_LISTED_DELTAS,
  MAX_MANIFEST_BYTES,
  MAX_NOTES,
  MAX_RELEASE_FILES,
  MAX_STATION_BYTES,
  MAX_TAILS,
  MAX_TENSOR_GROUPS,
} from './limits.ts';

export const RELEASE_FORMAT = 'kerf-release/1';

/** Who needs a file: the device, the cloud that runs tails, or both. */
export const SIDES = ['edge', 'cloud'] as const;
export type Side = (typeof SIDES)[number];

export const RELEASE_KINDS = ['model', 'split', 'chain', 'files'] as const;
/** What was published: one model, a head and its tail, a chain of segments, or files without a model. */
export type ReleaseKind = (typeof RELEASE_KINDS)[number];

export const FILE_ROLES = ['model', 'head', 'tail', 'segment', 'data', 'manifest', 'table', 'golden', 'other'] as const;
export type FileRole = (typeof FILE_ROLES)[number];

/** Tensors of a file that belong together, by the first part of their names. */
export interface TensorGroup {
  readonly name: string;
  readonly tensors: number;
  readonly bytes: number;
  /** Hex SHA-256 over the tensors' bytes, in the order of their places in the file. */
  readonly sha256: string;
}

/** A delta that makes this file. What is listed is signed for; a registry may offer more. */
export interface ListedDelta {
  /** Hex SHA-256 of the file that it starts from; null: from nothing, the file compressed. */
  readonly base: string | null;
  readonly bytes: number;
  /** Header and index: with their hash known, a delta can be refused before anything of it is decoded. */
  readonly indexBytes: number;
  readonly indexSha256: string;
}

export interface ReleaseFile {
  /** Plain name, one part. */
  readonly name: string;
  readonly role: FileRole;
  readonly sides: readonly Side[];
  readonly bytes: number;
  /** Hex SHA-256: also the name of its blob. */
  readonly sha256: string;
  readonly groups: readonly TensorGroup[];
  readonly deltas: readonly ListedDelta[];
}

/** Least versions of what runs it, as `major.minor.patch`; null: any. */
export interface RuntimeFloor {
  readonly kerf: string | null;
  readonly onnxruntime: string | null;
}

/** Inputs with the outputs that the publisher's runtime gave for them. */
export interface GoldenClaim {
  /** Name of the file. */
  readonly file: string;
  readonly samples: number;
  /** The runtime that gave the outputs, such as `onnxruntime-node/cpu 1.30.0`. */
  readonly madeBy: string;
  /** A value agrees if `|got - expected| <= absolute + relative * |expected|`. */
  readonly absolute: number;
  readonly relative: number;
}

/** How a snapped release was made. */
export interface SnapClaim {
  /** Release (hex SHA-256 of its manifest) that the grid lies around. */
  readonly base: string;
  /** In root mean squares of each tensor's own differences. */
  readonly step: number;
  /** Task metric and what it lost, in points; null where there were no labelled samples. */
  readonly metric: string | null;
  readonly lossPoints: number | null;
}

export interface ReleaseManifest {
  readonly format: typeof RELEASE_FORMAT;
  /** Of the model: lower case letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  readonly version: string;
  /** Counts the releases of this name up from 1: a device never goes to a lower one by itself. */
  readonly sequence: number;
  /** `2026-11-26T10:00:00Z`. */
  readonly createdAt: string;
  readonly kind: ReleaseKind;
  readonly files: readonly ReleaseFile[];
  /** File that a runtime opens: the model, split.json, chain.json; null for `files`. */
  readonly entry: string | null;
  /** What its head and its tail have in common: `pair` of split.json, `chain` of chain.json, the hash of a model. */
  readonly pair: string | null;
  /** Pairs whose tails its head may talk to; its own is always among them. */
  readonly tails: readonly string[];
  readonly runtime: RuntimeFloor;
  /** Thresholds, labels, preprocessing, station defaults: plain JSON that the station reads. */
  readonly station: JsonRecord;
  readonly golden: GoldenClaim | null;
  readonly snapped: SnapClaim | null;
  readonly notes: string;
  readonly createdBy: string;
}

export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const VERSION_PATTERN = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/;
const VERSION_NUMBER = /^\d{1,6}\.\d{1,6}\.\d{1,6}$/;

const fields = new JsonFields('release manifest', 'RELEASE_INVALID');

/**
 * @param bytes as they were signed for; their SHA-256 is the release's id
 * @throws {KerfError} RELEASE_INVALID naming the first field that is wrong, or what contradicts itself.
 */
export function parseReleaseManifest(bytes: Uint8Array): ReleaseManifest {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw fields.fault(`it has ${bytes.byteLength} bytes, the limit is ${MAX_MANIFEST_BYTES}`);
  }
  const root = fields.parse(bytes);
  if (root['format'] !== RELEASE_FORMAT)
    throw fields.invalid('format', `'${RELEASE_FORMAT}'; a newer kerf may read it`);
  const manifest: ReleaseManifest = {
    format: RELEASE_FORMAT,
    name: fields.matching(root['name'], 'name', NAME_PATTERN, 'a name of a-z, 0-9, . _ -'),
    version: fields.matching(root['version'], 'version', VERSION_PATTERN, 'a version of letters, digits, . + _ -'),
    sequence: fields.integer(root['sequence'], 'sequence', 1),
    createdAt: createdAt(root['createdAt']),
    kind: fields.choice(root['kind'], 'kind', RELEASE_KINDS),
    files: fields.list(root['files'], 'files', MAX_RELEASE_FILES).map(releaseFile),
    entry: root['entry'] === null ? null : fields.text(root['entry'], 'entry'),
    pair: fields.optionalDigest(root['pair'], 'pair'),
    tails: fields.list(root['tails'], 'tails', MAX_TAILS).map((pair) => fields.digest(pair, 'tails')),
    runtime: runtimeFloor(root['runtime']),
    station: station(root['station']),
    golden: golden(root['golden']),
    snapped: snapped(root['snapped']),
    notes: fields.text(root['notes'], 'notes', MAX_NOTES),
    createdBy: fields.text(root['createdBy'], 'createdBy'),
  };
  checkConsistency(manifest);
  return manifest;
}

/** The bytes that are published; what parses from them equals `manifest`. @throws {KerfError} RELEASE_INVALID. */
export function writeReleaseManifest(manifest: ReleaseManifest): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
  parseReleaseManifest(bytes);
  return bytes;
}

/** Files that one side installs; all of them for null. */
export function filesOfSide({ files }: ReleaseManifest, side: Side | null): readonly ReleaseFile[] {
  return side === null ? files : files.filter(({ sides }) => sides.includes(side));
}

function checkConsistency({ files, entry, kind, pair, tails, golden: claim }: ReleaseManifest): void {
  if (files.length === 0) throw fields.fault('it has no files');
  // File systems that fold case would make one file of two.
  if (new Set(files.map(({ name }) => name.toLowerCase())).size < files.length) {
    throw fields.fault('two files have the same name');
  }
  const find = (name: string): ReleaseFile | undefined => files.find((file) => file.name === name);
  if ((entry === null) !== (kind === 'files')) throw fields.invalid('entry', `a file for kind '${kind}'`);
  if (entry !== null && find(entry) === undefined)
    throw fields.fault(`'entry' names '${entry}', which is no file of it`);
  if (claim !== null && find(claim.file)?.role !== 'golden') {
    throw fields.fault(`'golden' names '${claim.file}', which is no golden file of it`);
  }
  if ((pair === null) !== (kind === 'files')) throw fields.invalid('pair', `a hash for kind '${kind}'`);
  if (pair !== null && !tails.includes(pair)) throw fields.fault("'tails' must hold its own pair");
}

function createdAt(value: unknown): string {
  fields.moment(value, 'createdAt');
  return value as string;
}

function releaseFile(value: unknown): ReleaseFile {
  const object = fields.record(value, 'files');
  const name = fields.text(object['name'], 'files.name', 255);
  if (!isSafeFileName(name)) throw fields.invalid('files.name', 'a plain file name on every system');
  const sides = fields.list(object['sides'], 'files.sides', SIDES.length);
  return {
    name,
    role: fields.choice(object['role'], 'files.role', FILE_ROLES),
    sides: sides.map((side) => fields.choice(side, 'files.sides', SIDES)),
    bytes: fields.integer(object['bytes'], 'files.bytes'),
    sha256: fields.digest(object['sha256'], 'files.sha256'),
    groups: fields.list(object['groups'], 'files.groups', MAX_TENSOR_GROUPS).map(tensorGroup),
    deltas: fields.list(object['deltas'], 'files.deltas', MAX_LISTED_DELTAS).map(listedDelta),
  };
}

function tensorGroup(value: unknown): TensorGroup {
  const object = fields.record(value, 'files.groups');
  return {
    name: fields.text(object['name'], 'files.groups.name', 255),
    tensors: fields.integer(object['tensors'], 'files.groups.tensors', 1),
    bytes: fields.integer(object['bytes'], 'files.groups.bytes'),
    sha256: fields.digest(object['sha256'], 'files.groups.sha256'),
  };
}

function listedDelta(value: unknown): ListedDelta {
  const object = fields.record(value, 'files.deltas');
  return {
    base: fields.optionalDigest(object['base'], 'files.deltas.base'),
    bytes: fields.integer(object['bytes'], 'files.deltas.bytes', 1),
    indexBytes: fields.integer(object['indexBytes'], 'files.deltas.indexBytes', 1),
    indexSha256: fields.digest(object['indexSha256'], 'files.deltas.indexSha256'),
  };
}

function runtimeFloor(value: unknown): RuntimeFloor {
  const object = fields.record(value, 'runtime');
  const floor = (key: string): string | null =>
    (object[key] ?? null) === null
      ? null
      : fields.matching(object[key], `runtime.${key}`, VERSION_NUMBER, 'a version such as 1.30.0');
  return { kerf: floor('kerf'), onnxruntime: floor('onnxruntime') };
}

function station(value: unknown): JsonRecord {
  const object = fields.record(value, 'station');
  const bytes = JSON.stringify(object).length;
  if (bytes > MAX_STATION_BYTES) throw fields.invalid('station', `at most ${MAX_STATION_BYTES} characters of JSON`);
  return object;
}

function golden(value: unknown): GoldenClaim | null {
  if ((value ?? null) === null) return null;
  const object = fields.record(value, 'golden');
  const tolerance = (key: string): number => {
    const number = fields.number(object[key], `golden.${key}`);
    if (number < 0) throw fields.invalid(`golden.${key}`, 'a number of at least 0');
    return number;
  };
  return {
    file: fields.text(object['file'], 'golden.file'),
    samples: fields.integer(object['samples'], 'golden.samples', 1),
    madeBy: fields.text(object['madeBy'], 'golden.madeBy'),
    absolute: tolerance('absolute'),
    relative: tolerance('relative'),
  };
}

function snapped(value: unknown): SnapClaim | null {
  if ((value ?? null) === null) return null;
  const object = fields.record(value, 'snapped');
  const metric = object['metric'] ?? null;
  const loss = object['lossPoints'] ?? null;
  return {
    base: fields.digest(object['base'], 'snapped.base'),
    step: fields.number(object['step'], 'snapped.step'),
    metric: metric === null ? null : fields.text(metric, 'snapped.metric'),
    lossPoints: loss === null ? null : fields.number(loss, 'snapped.lossPoints'),
  };
}
