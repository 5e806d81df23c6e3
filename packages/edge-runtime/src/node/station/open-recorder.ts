// The `record` group of a station file and the station that runs -> its recorder; one is there without the group too.
import { resolve } from 'node:path';
import { recordShape } from '../../recording/record-config.ts';
import type { Station } from '../../station/station.ts';
import { StationRecorder } from '../recording/station-recorder.ts';
import type { StationFile } from './read-station-file.ts';

/** Where sessions go that somebody asks for although the file says nothing of them. */
const USUAL_FOLDER = 'sessions';

/** @param file as it is now @throws {KerfError} DISK_FAILED where the file records and its folder cannot be written. */
export async function openRecorder(
  file: () => StationFile,
  station: Station,
  wallNow: () => number,
): Promise<StationRecorder> {
  const { config, folder } = file();
  const record = config.record ?? recordShape.read({ path: USUAL_FOLDER }, 'record');
  const recorder = new StationRecorder({
    config: { ...record, path: resolve(folder, record.path) },
    wallNow,
    head: () => {
      const { path, sha256 } = file();
      const { release } = station.snapshot;
      return { station: config.station, release, file: resolve(path), fileSha256: sha256 };
    },
    settings: () => {
      const { version, task, thresholds } = station.judges.main;
      return { version, task, thresholds };
    },
  });
  station.onEvent((event) => recorder.see(event));
  if (config.record !== null) await recorder.start();
  return recorder;
}
