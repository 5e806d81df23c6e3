// A model, a runtime and a budget of time -> what the model costs on this device. The same code in Node and in a browser's worker.
import { KerfError } from '@kerf/protocol';
import type { DeviceProfile } from '../plan/profile.ts';
import type { ProfileOptions } from './profile-options.ts';

/** Measures a model on this device. */
export function profileModel(options: ProfileOptions): Promise<DeviceProfile> {
  return Promise.reject(new KerfError('INTERNAL', `profiling '${options.model.file}' comes with the next commit`));
}
