// A model -> its profiles as `kerf profile` writes them, for the weak or strong edge and for the cloud.
import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { KERF_BIN } from '@kerf/cli';
import { type DeviceProfile, parseDeviceProfile } from '@kerf/splitter';

const MAX_PROFILE_BYTES = 64 * 1024 * 1024;

export interface ProfileJob {
  readonly modelPath: string;
  readonly inputFolder: string;
  readonly budgetSeconds: number;
}

export function profileEdge(job: ProfileJob, runtime: 'wasm' | 'node'): Promise<DeviceProfile> {
  return profile(job, ['--runtime', runtime, '--side', 'edge', '--no-crossing']);
}

export function profileCloud(job: ProfileJob): Promise<DeviceProfile> {
  return profile(job, ['--side', 'cloud']);
}

async function profile(
  { modelPath, inputFolder, budgetSeconds }: ProfileJob,
  options: readonly string[],
): Promise<DeviceProfile> {
  const args = [
    'profile',
    modelPath,
    '--json',
    '--threads',
    '1',
    '--budget',
    `${budgetSeconds}s`,
    '--input',
    inputFolder,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [KERF_BIN, ...args, ...options], {
    maxBuffer: MAX_PROFILE_BYTES,
  });
  return parseDeviceProfile(JSON.parse(stdout));
}
