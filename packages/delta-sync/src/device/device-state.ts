// What a device runs and what it would go back to <-> two small files, of which one is always whole.
import { KerfError } from '@kerf/protocol';
import { JsonFields, type JsonRecord } from '../checked-json.ts';
import { sha256Hex } from '../hash.ts';
import { NAME_PATTERN, VERSION_PATTERN } from '../release/release-manifest.ts';
import { type DeviceDisk, replaceFile } from './device-disk.ts';
import { MAX_CAUSE_CHARS, MAX_REJECTED, MAX_STATE_BYTES } from './options.ts';
import type { ReleaseCause } from './release-cause.ts';

export type SlotIndex = 0 | 1;

/** A release in a slot. */
export interface Installed {
  readonly slot: SlotIndex;
  /** Hex SHA-256 of the manifest. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
}

export interface Rejected {
  readonly id: string;
  readonly version: string;
  readonly reason: string;
  /** The same as a kind with values, where no person said why. */
  readonly cause?: ReleaseCause;
}

/** A release whose golden samples gave the right answers here. */
export interface Proved {
  /** Hex SHA-256 of the manifest. */
  readonly id: string;
  /** Runtime, its version and kerf's, when they did: after an update of those they are run again. */
  readonly on: string;
}

export interface DeviceState {
  /** Counts the writes: of two whole files the one with more counts. */
  readonly writes: number;
  readonly active: Installed | null;
  /** What a roll-back returns to; null while its slot is being written. */
  readonly previous: Installed | null;
  /** Starts of the active release on probation; null once it has proved itself. */
  readonly trialStarts: number | null;
  /** The highest sequence that was ever confirmed: nothing below it is installed by itself. */
  readonly floor: number;
  readonly rejected: readonly Rejected[];
  /** The staged release that waits for its window. */
  readonly proved: Proved | null;
}

export const EMPTY_STATE: DeviceState = {
  writes: 0,
  active: null,
  previous: null,
  trialStarts: null,
  floor: 0,
  rejected: [],
  proved: null,
};

const FILES = ['state-0.json', 'state-1.json'] as const;

/**
 * The newest whole state; an empty one on a new device.
 * @throws {KerfError} STATE_DAMAGED when files are there and none is whole: that is no power cut.
 */
export async function readState(disk: DeviceDisk): Promise<DeviceState> {
  const names = await disk.list();
  const there = FILES.filter((name) => names.includes(name));
  const states: DeviceState[] = [];
  for (const name of there) {
    const state = (await disk.size(name)) > MAX_STATE_BYTES ? null : await parseState(await disk.read(name));
    if (state !== null) states.push(state);
  }
  if (states.length === 0 && there.length > 0) {
    throw new KerfError(
      'STATE_DAMAGED',
      'the state of this device cannot be read, and no power cut leaves it so: check its disk, then install again',
    );
  }
  return states.sort((a, b) => b.writes - a.writes)[0] ?? EMPTY_STATE;
}

/** @returns the state as it was written */
export async function writeState(
  disk: DeviceDisk,
  before: DeviceState,
  change: Partial<Omit<DeviceState, 'writes'>>,
): Promise<DeviceState> {
  const state = { ...before, ...change, writes: before.writes + 1 };
  const bounded = { ...state, rejected: state.rejected.slice(-MAX_REJECTED).map(shortened) };
  const body = JSON.stringify(bounded);
  const text = JSON.stringify({ sha256: await sha256Hex(new TextEncoder().encode(body)), body });
  await replaceFile(disk, FILES[(bounded.writes % 2) as SlotIndex], new TextEncoder().encode(text));
  return bounded;
}

/** What a cause quotes can be long. */
function shortened({ cause: why, ...rest }: Rejected): Rejected {
  if (why === undefined) return rest;
  const values = Object.entries(why).map(([name, value]) => [name, shortText(value)]);
  return { ...rest, cause: Object.fromEntries(values) as ReleaseCause };
}

function shortText(value: string | number): string | number {
  return typeof value === 'string' ? value.slice(0, MAX_CAUSE_CHARS) : value;
}

const fields = new JsonFields('device state', 'STATE_DAMAGED');

/** Null for a file that is not whole. */
async function parseState(bytes: Uint8Array): Promise<DeviceState | null> {
  try {
    const outer = fields.parse(bytes);
    const body = new TextEncoder().encode(fields.text(outer['body'], 'body', MAX_STATE_BYTES));
    if ((await sha256Hex(body)) !== outer['sha256']) return null;
    const root = fields.parse(body);
    const starts = root['trialStarts'] ?? null;
    return {
      writes: fields.integer(root['writes'], 'writes', 1),
      active: installed(root['active']),
      previous: installed(root['previous']),
      trialStarts: starts === null ? null : fields.integer(starts, 'trialStarts'),
      floor: fields.integer(root['floor'], 'floor'),
      rejected: fields.list(root['rejected'], 'rejected', MAX_REJECTED).map(rejected),
      proved: proved(root['proved']),
    };
  } catch (error) {
    if (KerfError.is(error)) return null;
    throw error;
  }
}

function installed(value: unknown): Installed | null {
  if ((value ?? null) === null) return null;
  const object = fields.record(value, 'installed');
  const slot = fields.integer(object['slot'], 'slot');
  if (slot !== 0 && slot !== 1) throw fields.invalid('slot', '0 or 1');
  return {
    slot,
    id: fields.digest(object['id'], 'id'),
    name: fields.matching(object['name'], 'name', NAME_PATTERN, 'a name'),
    version: fields.matching(object['version'], 'version', VERSION_PATTERN, 'a version'),
    sequence: fields.integer(object['sequence'], 'sequence', 1),
  };
}

function rejected(value: unknown): Rejected {
  const object: JsonRecord = fields.record(value, 'rejected');
  return {
    id: fields.digest(object['id'], 'rejected.id'),
    version: fields.text(object['version'], 'rejected.version'),
    reason: fields.text(object['reason'], 'rejected.reason'),
    ...cause(object['cause']),
  };
}

/** Absent where a person said why, and in the state of an older kerf. A newer one may have kinds that are not known here. */
function cause(value: unknown): Pick<Rejected, 'cause'> {
  if ((value ?? null) === null) return {};
  const object = fields.record(value, 'cause');
  fields.text(object['kind'], 'cause.kind');
  const isPlain = (one: unknown) => typeof one === 'string' || typeof one === 'number';
  if (!Object.values(object).every(isPlain)) throw fields.invalid('cause', 'an object of texts and numbers');
  return { cause: object as ReleaseCause };
}

/** Absent in the state of an older kerf. */
function proved(value: unknown): Proved | null {
  if ((value ?? null) === null) return null;
  const object = fields.record(value, 'proved');
  return { id: fields.digest(object['id'], 'proved.id'), on: fields.text(object['on'], 'proved.on') };
}
