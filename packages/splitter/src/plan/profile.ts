// Measured costs of a device or a link as plain JSON with units in the names: the types, and parsed JSON -> a checked profile.
import { type DType, isDType, KerfError } from '@kerf/protocol';
import { type CodingSpeeds, codingSpeeds } from './coding-speed.ts';
import { Field } from './profile-fields.ts';

export const PROFILE_FORMAT = 'kerf-profile/1';
export const LINK_FORMAT = 'kerf-link/1';

/** What one node costs when it runs alone: the shape of the curve, not a cost to add up. */
export interface NodeCost {
  /** Place in `ModelGraph.nodes`; null where a person wrote the cost down and only named the node. */
  readonly index: number | null;
  /** The node's name or one of its outputs; '' where `index` is enough. */
  readonly name: string;
  readonly opType: string;
  readonly ms: number;
}

/** A head or a tail that was run as a session of its own. Exactly one of `head` and `tail` is not null. */
export interface SegmentCost {
  /** Tensors of the cut before which everything was run. */
  readonly head: readonly string[] | null;
  /** Tensors of the cut behind which everything was run. */
  readonly tail: readonly string[] | null;
  /** Median. */
  readonly ms: number;
  /** Null where too few runs were made to tell. */
  readonly p99Ms: number | null;
  readonly runs: number;
}

/** A value that can cross a cut, at the sizes of the measurement. */
export interface ProfiledValue {
  readonly name: string;
  /** Null when it is no dense tensor and cannot cross. */
  readonly dtype: DType | null;
  readonly shape: readonly number[] | null;
  readonly bytes: number | null;
  /** Coded without loss, on the frame of the measurement; missing where it was not coded. */
  readonly losslessBytes?: number;
}

/** Weights that a node needs resident. */
export interface NodeMemory {
  readonly index: number | null;
  readonly name: string;
  readonly weightsBytes: number;
}

/**
 * What the way through session, gateway and worker process costs beside the link's round trip and bandwidth, both ways
 * together; measured with a model that does nothing, over loopback.
 */
export interface CrossingCost {
  readonly perFrameMs: number;
  readonly perMegabyteMs: number;
}

/** What one model costs on one device with one provider. */
export interface DeviceProfile {
  readonly format: typeof PROFILE_FORMAT;
  readonly model: { readonly file: string; readonly sha256: string };
  readonly device: {
    readonly name: string;
    readonly processor: string;
    readonly logicalCores: number;
    readonly system: string;
  };
  /** Execution provider, such as `cpu`, `wasm` or `webgpu`. */
  readonly provider: string;
  /** Threads within one operator; null when the runtime chooses or nobody said. */
  readonly threads: number | null;
  /** Versions by name, such as kerf and onnxruntime-node. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
  readonly nodes: readonly NodeCost[];
  /** `events`: the runtime timed each node. `segments`: differences of measured sessions. Null: written by hand. */
  readonly nodeTimesFrom: 'events' | 'segments' | null;
  readonly segments: readonly SegmentCost[];
  /** Median of the whole model; null where it cannot run here and the costs were given by hand. */
  readonly wholeMs: number | null;
  readonly wholeP99Ms: number | null;
  readonly values: readonly ProfiledValue[];
  /** Empty when not measured: the planner then takes the sizes of the weights in the file. */
  readonly memory: readonly NodeMemory[];
  /** Null when not measured: the planner then counts none. */
  readonly crossing: CrossingCost | null;
  /** How fast the device codes activations; missing when not measured: then only raw values have a price. */
  readonly coding?: CodingSpeeds;
  /** Whether the frame of the measurement was a real one, so that `losslessBytes` are usual; missing when nobody said. */
  readonly frame?: 'given' | 'made up';
}

/** What a link was seen to do. */
export interface LinkProfile {
  readonly format: typeof LINK_FORMAT;
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  /** 99th percentile of the round trip less its median. */
  readonly jitterMs: number;
  /** Time from one frame to the next: TCP starts anew after a pause. @default none: one frame follows another at once */
  readonly frameIntervalMs?: number;
  /** ISO 8601; null for a link that was stated, not measured. */
  readonly date: string | null;
}

/** Bounds beyond which a number is taken for a mistake of unit. */
const MAX_MS = 3_600_000;
const MAX_ROUND_TRIP_MS = 60_000;
const MIN_BITS_PER_SECOND = 1000;
const MAX_BITS_PER_SECOND = 1e13;
const MAX_BYTES = 2 ** 50;

/** A device's or a link's profile, whichever the JSON says it is. @throws {KerfError} INVALID_ARGUMENT naming the field. */
export function parseProfile(json: unknown): DeviceProfile | LinkProfile {
  const root = new Field(json, '', 'profile');
  const format = root.get('format').text();
  if (format === PROFILE_FORMAT) return parseDeviceProfile(json);
  if (format === LINK_FORMAT) return parseLinkProfile(json);
  throw root.get('format').wrong(`must be '${PROFILE_FORMAT}' or '${LINK_FORMAT}', got '${format}'`);
}

/**
 * A checked profile of a device; unknown keys are ignored.
 * @throws {KerfError} INVALID_ARGUMENT naming the first field that is wrong, missing or absurd.
 */
export function parseDeviceProfile(json: unknown): DeviceProfile {
  const root = new Field(json, '', 'device profile');
  root.format(PROFILE_FORMAT);
  const device = root.get('device');
  const versions = root.get('versions').entries((version) => version.text());
  const coding = root.get('coding').optional(codingSpeeds);
  const frame = root.get('frame').optional((value) => value.choice(['given', 'made up'] as const));
  const profile: DeviceProfile = {
    format: PROFILE_FORMAT,
    model: { file: root.get('model').get('file').text(), sha256: root.get('model').get('sha256').digest() },
    device: {
      name: device.get('name').text(),
      processor: device.get('processor').text(),
      logicalCores: device.get('logicalCores').number(1, 1e6),
      system: device.get('system').text(),
    },
    provider: root.get('provider').text(),
    threads: root.get('threads').optional((threads) => threads.whole(65_536)),
    versions,
    date: root.get('date').text(),
    inputShapes: root.get('inputShapes').entries(shape),
    nodes: root.get('nodes').list(nodeCost),
    nodeTimesFrom: root.get('nodeTimesFrom').optional((from) => from.choice(['events', 'segments'])),
    segments: root.get('segments').list(segmentCost),
    wholeMs: root.get('wholeMs').nullable((ms) => ms.number(0, MAX_MS)),
    wholeP99Ms: root.get('wholeP99Ms').optional((ms) => ms.number(0, MAX_MS)),
    values: root.get('values').list(profiledValue),
    memory: root.get('memory').optional((memory) => memory.list(nodeMemory)) ?? [],
    crossing: root.get('crossing').optional((crossing) => ({
      perFrameMs: crossing.get('perFrameMs').number(0, MAX_MS),
      perMegabyteMs: crossing.get('perMegabyteMs').number(0, MAX_MS),
    })),
    ...(coding === null ? {} : { coding }),
    ...(frame === null ? {} : { frame }),
  };
  if (profile.wholeMs === null && profile.nodes.length === 0 && profile.segments.length === 0) {
    throw root.wrong('has no cost at all: neither wholeMs nor nodes nor segments');
  }
  return profile;
}

/** A checked profile of a link. @throws {KerfError} INVALID_ARGUMENT naming the first field that is wrong, missing or absurd. */
export function parseLinkProfile(json: unknown): LinkProfile {
  const root = new Field(json, '', 'link profile');
  root.format(LINK_FORMAT);
  const rate = (name: string): number => root.get(name).number(MIN_BITS_PER_SECOND, MAX_BITS_PER_SECOND);
  const frameIntervalMs = root.get('frameIntervalMs').optional((time) => time.number(0, MAX_MS));
  return {
    format: LINK_FORMAT,
    uplinkBitsPerSecond: rate('uplinkBitsPerSecond'),
    downlinkBitsPerSecond: rate('downlinkBitsPerSecond'),
    roundTripMs: root.get('roundTripMs').number(0, MAX_ROUND_TRIP_MS),
    jitterMs: root.get('jitterMs').number(0, MAX_ROUND_TRIP_MS),
    ...(frameIntervalMs === null ? {} : { frameIntervalMs }),
    date: root.get('date').optional((date) => date.text()),
  };
}

/** A link that somebody states. `downlinkBitsPerSecond` as the uplink and no jitter unless given. @throws {KerfError} INVALID_ARGUMENT. */
export function statedLink(
  link: Pick<LinkProfile, 'uplinkBitsPerSecond' | 'roundTripMs'> &
    Partial<Pick<LinkProfile, 'downlinkBitsPerSecond' | 'jitterMs'>>,
): LinkProfile {
  const { uplinkBitsPerSecond, downlinkBitsPerSecond = uplinkBitsPerSecond, roundTripMs, jitterMs = 0 } = link;
  return parseLinkProfile({ format: LINK_FORMAT, uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs });
}

/** @throws {KerfError} INVALID_ARGUMENT when the profile was taken of another model; `whose` is such as `edge`. */
export function checkProfileModel(
  profile: Pick<DeviceProfile, 'model'>,
  model: { readonly sha256: string },
  whose: string,
  remedy = "run 'kerf profile' on this one",
): void {
  if (profile.model.sha256 === model.sha256) return;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `the ${whose} profile is of another model ('${profile.model.file}', sha256 ${profile.model.sha256.slice(0, 12)}..., ` +
      `not ${model.sha256.slice(0, 12)}...): ${remedy}`,
    { details: { profiled: profile.model.sha256, model: model.sha256 } },
  );
}

function shape(field: Field): number[] {
  return field.list((size) => size.whole(2 ** 40));
}

function nodeCost(field: Field): NodeCost {
  const index = field.get('index').optional((value) => value.whole(1e7));
  const name = field.get('name').optional((value) => value.text(true)) ?? '';
  if (index === null && name === '') throw field.wrong("needs an 'index' or a 'name'");
  const opType = field.get('opType').text();
  return { index, name, opType, ms: field.get('ms').number(0, MAX_MS) };
}

function nodeMemory(field: Field): NodeMemory {
  const index = field.get('index').optional((value) => value.whole(1e7));
  const name = field.get('name').optional((value) => value.text(true)) ?? '';
  if (index === null && name === '') throw field.wrong("needs an 'index' or a 'name'");
  return { index, name, weightsBytes: field.get('weightsBytes').whole(MAX_BYTES) };
}

function segmentCost(field: Field): SegmentCost {
  const names = (value: Field): string[] => value.list((name) => name.text(true));
  const head = field.get('head').optional(names);
  const tail = field.get('tail').optional(names);
  if ((head === null) === (tail === null)) throw field.wrong("must have either 'head' or 'tail', the other null");
  return {
    head,
    tail,
    ms: field.get('ms').number(0, MAX_MS),
    p99Ms: field.get('p99Ms').optional((ms) => ms.number(0, MAX_MS)),
    runs: field.get('runs').whole(1e9),
  };
}

function profiledValue(field: Field): ProfiledValue {
  const losslessBytes = field.get('losslessBytes').optional((bytes) => bytes.whole(MAX_BYTES));
  return {
    name: field.get('name').text(true),
    dtype: field.get('dtype').optional((value) => {
      const text = value.text();
      if (!isDType(text)) throw value.wrong(`is no dtype: '${text}'`);
      return text;
    }),
    shape: field.get('shape').optional(shape),
    bytes: field.get('bytes').optional((bytes) => bytes.whole(MAX_BYTES)),
    ...(losslessBytes === null ? {} : { losslessBytes }),
  };
}
