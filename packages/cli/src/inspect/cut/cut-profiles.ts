// A station file and its model -> where the profiles of device and cloud are, and what the screen shows of one.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CutProfile } from '@kerf/bridge';
import type { StationFile } from '@kerf/edge-runtime/node';
import type { DeviceProfile } from '@kerf/splitter';
import { hasCalibration } from '../../plan/read-codecs.ts';
import { deviceOf } from '../../profile/device.ts';
import { profileFileOf } from '../../profile/profile-file.ts';
import type { PlannerSetup } from './cut-messages.ts';
import type { CutModel } from './cut-model.ts';

export interface ProfilePaths {
  /** Null where there is none yet. */
  readonly edge: string | null;
  readonly cloud: string | null;
  /** Where a measurement on this device goes; null where the station file names the profile: that is its owner's. */
  readonly target: string | null;
}

export async function profilePathsOf({ config, folder }: StationFile, modelName: string): Promise<ProfilePaths> {
  const { edge, cloud } = config.profiles;
  const named = (path: string | null): string | null => (path === null ? null : resolve(folder, path));
  if (edge !== null) return { edge: named(edge), cloud: named(cloud), target: null };
  const target = join(resolve(folder), profileFileOf(modelName));
  const isThere = await stat(target).then(
    (found) => found.isFile(),
    () => false,
  );
  return { edge: isThere ? target : null, cloud: named(cloud), target };
}

/** Those that the station file names, and what the split or the chain itself says of its cuts. */
export async function codecPathsOf({ config, folder }: StationFile, { kind }: CutModel): Promise<string[]> {
  const named = config.profiles.codecs.map((path) => resolve(folder, path));
  const own = resolve(folder, config.model.path);
  const isOwn = kind !== 'whole' && !named.includes(own) && (await hasCalibration(own));
  return isOwn ? [...named, own] : named;
}

export function pictureOf({ config, folder }: StationFile): PlannerSetup['picture'] {
  const { picture, profiles } = config;
  if (profiles.picture === null) return null;
  const { crop: _, ...options } = picture;
  return { path: resolve(folder, profiles.picture), options };
}

export function profileNote(profile: DeviceProfile, isNamed: boolean): CutProfile {
  const { device, provider, date, wholeMs } = profile;
  const here = deviceOf();
  return {
    device: device.name,
    processor: device.processor,
    provider,
    date,
    isNamed,
    isOfThisDevice: device.processor === here.processor && device.logicalCores === here.logicalCores,
    wholeMs,
  };
}
