// A station file whose model is a device's folder -> the same file with the release that runs there.
import { basename, join, resolve } from 'node:path';
import { Device, type ReleaseManifest, type SlotIndex } from '@kerf/delta-sync';
import { slotFolder } from '@kerf/delta-sync/node';
import type { StationFile } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { deviceOptions, isDeviceFolder } from './device-folder.ts';

/** The folder of the device that `model.path` names; null where it names a model. */
export function deviceOf({ config, folder }: StationFile): string | null {
  const place = resolve(folder, config.model.path);
  return isDeviceFolder(place) ? place : null;
}

/**
 * @param isStart a start of the station counts while a release is on probation; the last one too many goes back
 * @throws {KerfError} RELEASE_NOT_FOUND for a device without a release; CONTENT_MISMATCH for one that its disk has changed;
 *   CONFIG_INVALID for a release without a model.
 */
export async function withRelease(file: StationFile, isStart = false): Promise<StationFile> {
  const place = deviceOf(file);
  if (place === null) return file;
  const options = await deviceOptions(place, [], () => {});
  const device = isStart ? await Device.start(options) : await Device.open(options);
  const { active } = device.state;
  const manifest = await device.verifyActive();
  if (active === null || manifest === null) {
    throw new KerfError(
      'RELEASE_NOT_FOUND',
      `the device '${basename(place)}' has no release yet: kerf update apply --device ${place}`,
    );
  }
  return withSlot(file, place, active.slot, manifest);
}

/** The same with the release in a slot, whether or not it runs. @throws {KerfError} CONFIG_INVALID. */
export function withSlot(
  file: StationFile,
  device: string,
  slot: SlotIndex,
  { name, kind, entry, station }: ReleaseManifest,
): StationFile {
  const { config } = file;
  if (kind === 'files' || entry === null) {
    throw new KerfError(
      'CONFIG_INVALID',
      `the release '${name}' holds no model: model.path needs a device of one that does`,
    );
  }
  const place = slotFolder(device, slot);
  return {
    ...file,
    config: {
      ...config,
      model: { ...config.model, path: kind === 'model' ? join(place, entry) : place },
      // The file's own win: somebody at this line has set them.
      thresholds: config.thresholds ?? thresholdsOf(station['thresholds']),
      cloud: config.cloud === null ? null : { ...config.cloud, model: config.cloud.model ?? name },
    },
  };
}

function thresholdsOf(value: unknown): StationFile['config']['thresholds'] {
  const { passBelow, ngAbove } = (value ?? {}) as Record<string, unknown>;
  return typeof passBelow === 'number' && typeof ngAbove === 'number' ? { passBelow, ngAbove } : null;
}
