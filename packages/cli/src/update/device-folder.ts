// A folder -> a device: its slots, its state, what it installs, and from where.
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DeviceEvent,
  type DeviceOptions,
  diskStore,
  MirrorSet,
  parseMaintenanceWindow,
  type ReleaseWhy,
  readRoot,
  SIDES,
  type Side,
} from '@kerf/delta-sync';
import { folderStorage, nodeHasher, slotFolder } from '@kerf/delta-sync/node';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import { VERSION } from '../command.ts';
import { versionsOf } from '../profile/device.ts';
import { type MirrorAccess, mirrorOf } from '../publish/read-repository.ts';
import { noteEvent } from './device-history.ts';
import { askGolden } from './trial/ask-golden.ts';

/** What stays the same from one update to the next: `device.json` in the folder. */
export interface DeviceSettings extends MirrorAccess {
  readonly name: string;
  readonly mirrors: readonly string[];
  /** Null: all files. */
  readonly side: Side | null;
  /** As parseMaintenanceWindow reads it; null: at any time. */
  readonly window: string | null;
  /** Null: no limit. */
  readonly bytesPerSecond: number | null;
  /** False: nothing is looked for, fetched or followed by itself; by hand everything goes on. */
  readonly automatic: boolean;
  /** The only version that is installed; null: the newest. */
  readonly pinned: string | null;
}

const SETTINGS = 'device.json';

/** @throws {KerfError} FILE_EXISTS when the folder is a device already; TRUST_FAILED for a root that is none. */
export async function initDevice(folder: string, settings: DeviceSettings, root: Uint8Array): Promise<void> {
  // Whatever it trusts, it must be able to: else the device would say so at each update, for ever.
  readRoot(root);
  const storage = await folderStorage(folder);
  const store = diskStore(storage.state);
  if ((await store.read('root.json')) !== null) {
    throw new KerfError('FILE_EXISTS', `'${folder}' is a device already: name another folder`);
  }
  await writeSettings(folder, settings);
  await store.write('root.json', root);
}

export function isDeviceFolder(folder: string): boolean {
  return existsSync(join(folder, SETTINGS));
}

/** The old file or the new one is there, whatever happens. */
export async function writeSettings(folder: string, settings: DeviceSettings): Promise<void> {
  const file = join(folder, SETTINGS);
  await writeFile(`${file}.part`, `${JSON.stringify(settings, null, 1)}\n`, { flush: true } as object);
  await rename(`${file}.part`, file);
}

/** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT. */
export async function readSettings(folder: string): Promise<DeviceSettings> {
  let text: string;
  try {
    text = await readFile(join(folder, SETTINGS), 'utf8');
  } catch (cause) {
    throw new KerfError(
      'FILE_NOT_FOUND',
      `'${folder}' is no device: make one with kerf update init --device ${folder}`,
      { cause },
    );
  }
  try {
    const {
      name,
      mirrors,
      side,
      window,
      bytesPerSecond,
      tokenFile = null,
      ca = null,
      automatic = true,
      pinned = null,
    } = JSON.parse(text) as Record<string, unknown>;
    const isText = (value: unknown): value is string => typeof value === 'string';
    if (!isText(name) || !Array.isArray(mirrors) || !mirrors.every(isText))
      throw new Error('name or mirrors are missing');
    if (side !== null && !SIDES.some((one) => one === side)) throw new Error("side is neither 'edge' nor 'cloud'");
    if (window !== null && !isText(window)) throw new Error('window is no text');
    if (bytesPerSecond !== null && typeof bytesPerSecond !== 'number') throw new Error('bytesPerSecond is no number');
    if (tokenFile !== null && !isText(tokenFile)) throw new Error('tokenFile is no text');
    if (ca !== null && !isText(ca)) throw new Error('ca is no text');
    if (typeof automatic !== 'boolean') throw new Error('automatic is neither true nor false');
    if (pinned !== null && !isText(pinned)) throw new Error('pinned is no text');
    return { name, mirrors, side: side as Side | null, window, bytesPerSecond, tokenFile, ca, automatic, pinned };
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `${SETTINGS} in '${folder}': ${messageOf(cause)}`, { cause });
  }
}

export interface DeviceWork {
  readonly onBytes?: (fetched: number) => void;
  /** Who works on it and why, for the history. */
  readonly note?: ReleaseWhy;
}

/** @param mirrors instead of those of the settings; empty: those */
export async function deviceOptions(
  folder: string,
  mirrors: readonly string[],
  onEvent: (event: DeviceEvent) => void,
  { onBytes, note = '' }: DeviceWork = {},
): Promise<DeviceOptions> {
  const settings = await readSettings(folder);
  const places = mirrors.length > 0 ? mirrors : settings.mirrors;
  return {
    storage: await folderStorage(folder),
    mirrors: new MirrorSet({
      mirrors: await Promise.all(places.map((place) => mirrorOf(place, settings))),
      clock: systemClock,
      bytesPerSecond: settings.bytesPerSecond,
    }),
    name: settings.name,
    side: settings.side,
    versions: { kerf: VERSION, onnxruntime: versionsOf('onnxruntime-node')['onnxruntime-node'] ?? '0' },
    provider: 'onnxruntime-node/cpu',
    makeHasher: nodeHasher,
    clock: systemClock,
    wallClockMs: () => Date.now(),
    window: settings.window === null ? null : parseMaintenanceWindow(settings.window),
    pinned: settings.pinned,
    onEvent(event) {
      noteEvent(folder, event, note);
      onEvent(event);
    },
    ...(onBytes === undefined ? {} : { onBytes }),
    golden: (slot, manifest, signal) => askGolden({ folder: slotFolder(folder, slot), manifest, signal }),
  };
}
