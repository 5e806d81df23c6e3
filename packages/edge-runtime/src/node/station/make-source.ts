// Source and trigger of a station file -> the source, the trigger.
import { resolve } from 'node:path';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { SourceConfig } from '../../capture/source-config.ts';
import type { Trigger } from '../../capture/trigger.ts';
import type { TriggerConfig } from '../../capture/trigger-config.ts';
import { folderSource } from '../capture/folder-source.ts';
import { modbusTrigger } from '../modbus/plc-door.ts';
import type { PlcDoors } from './plc-doors.ts';

/** @param folder what relative paths are relative to. @throws {KerfError} INVALID_ARGUMENT. */
export function makeSource(config: SourceConfig, folder: string, setup: Omit<SourceSetup, 'name'>): Source {
  const own = { ...setup, name: config.name };
  switch (config.kind) {
    case 'folder':
      return folderSource({ ...config, path: resolve(folder, config.path) }, own);
  }
}

/** @throws {KerfError} INVALID_ARGUMENT. */
export function makeTrigger(config: TriggerConfig, plc: PlcDoors): Trigger {
  switch (config.kind) {
    case 'modbus':
      return modbusTrigger(config.name, plc.of(config));
  }
}
