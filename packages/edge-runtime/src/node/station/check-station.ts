// A checked station file -> what of this machine would keep its station from starting, without starting it.
import process from 'node:process';
import { systemClock } from '@kerf/protocol';
import { HttpDoors } from './http-doors.ts';
import { makeSource, makeTrigger } from './make-source.ts';
import { formOfModel, needFile } from './open-models.ts';
import { PlcDoors } from './plc-doors.ts';
import type { StationFile } from './read-station-file.ts';
import { StationSinks } from './station-sinks.ts';

/**
 * Looks at the files and the environment variables that the file names. Nothing is opened: no model, no port, no link.
 * @param isDevice whether `model.path` is a device's folder, whose release is looked at when the station starts
 * @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT, for the first thing that is missing.
 */
export async function checkStation({ config, folder }: StationFile, isDevice: boolean): Promise<void> {
  const { model, fallback, cloud } = config;
  if (!isDevice) await formOfModel(model.path, folder);
  if (fallback !== null) await needFile('fallback.path', fallback.path, folder);
  if (cloud?.tokenFile) await needFile('cloud.tokenFile', cloud.tokenFile, folder);
  if (cloud?.ca) await needFile('cloud.ca', cloud.ca, folder);
  const setup = { clock: systemClock, random: Math.random, wallClock: Date.now };
  const watch = { clock: systemClock, wallClock: Date.now, tell: () => {} };
  const secret = (name: string): string | null => process.env[name] ?? null;
  const doors = { plc: new PlcDoors(watch), http: new HttpDoors(folder, secret, watch), media: null, secret };
  const { source, trigger, sinks } = config;
  makeSource(source, folder, { ...setup, hasTrigger: trigger !== null }, doors);
  if (trigger !== null) makeTrigger(trigger, setup, doors);
  await new StationSinks(sinks, folder, { ...setup, station: config.station, ...doors }).close();
}
