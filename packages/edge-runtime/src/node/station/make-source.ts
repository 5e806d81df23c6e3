// Source and trigger of a station file -> the source, the trigger.
import { resolve } from 'node:path';
import { KerfError } from '@kerf/protocol';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { SourceConfig } from '../../capture/source-config.ts';
import type { Trigger } from '../../capture/trigger.ts';
import type { TriggerConfig } from '../../capture/trigger-config.ts';
import { folderSource } from '../capture/folder-source.ts';
import { httpTrigger } from '../capture/http-trigger.ts';
import { localCamera } from '../capture/local-camera.ts';
import type { MediaHost } from '../capture/media-host.ts';
import { rtspSource } from '../capture/rtsp-source.ts';
import { serialScanner } from '../capture/serial-scanner.ts';
import { uploadSource } from '../capture/upload-source.ts';
import { videoSource } from '../capture/video-source.ts';
import { modbusTrigger } from '../modbus/plc-door.ts';
import type { HttpDoors } from './http-doors.ts';
import type { PlcDoors } from './plc-doors.ts';

/** What source and trigger of a station share with others. */
export interface StationDoors {
  readonly plc: PlcDoors;
  readonly http: HttpDoors;
  readonly secret: (name: string) => string | null;
}

/** And who opens cameras where ffmpeg is not installed. */
export interface SourceDoors extends StationDoors {
  readonly media: MediaHost | null;
}

/** @param folder what relative paths are relative to. @throws {KerfError} INVALID_ARGUMENT. */
export function makeSource(
  config: SourceConfig,
  folder: string,
  setup: Omit<SourceSetup, 'name'>,
  doors: SourceDoors,
): Source {
  const own = { ...setup, name: config.name };
  switch (config.kind) {
    case 'folder':
      return folderSource({ ...config, path: resolve(folder, config.path) }, own);
    case 'upload':
      return uploadSource(config, own, doors.http.of(config));
    case 'video':
      return videoSource({ ...config, path: resolve(folder, config.path) }, own);
    case 'camera':
      return localCamera(config, own, doors.media);
    case 'rtsp':
      return rtspSource(
        config,
        own,
        config.passwordFrom === null ? null : passwordOf(config.passwordFrom, doors),
        doors.media,
      );
  }
}

function passwordOf(name: string, { secret }: StationDoors): string {
  const password = secret(name);
  if (password !== null && password !== '') return password;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `the environment variable ${name} is not set: it should hold the camera's password`,
  );
}

/** @throws {KerfError} INVALID_ARGUMENT. */
export function makeTrigger(
  config: TriggerConfig,
  setup: Pick<SourceSetup, 'clock' | 'random'>,
  doors: StationDoors,
): Trigger {
  const own = { ...setup, name: config.name };
  switch (config.kind) {
    case 'http':
      return httpTrigger(config, own, doors.http.of(config));
    case 'modbus':
      return modbusTrigger(config.name, doors.plc.of(config));
    case 'scanner':
      return serialScanner(config, own);
  }
}
