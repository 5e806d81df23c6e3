// A sink of a station file -> the sink.
import { resolve } from 'node:path';
import { fetchTrusting } from '@kerf/protocol/node';
import type { MqttConfig } from '../../sinks/mqtt-config.ts';
import type { SinkSetup } from '../../sinks/options.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { SinkConfig } from '../../sinks/sink-config.ts';
import { webhookSink } from '../../sinks/webhook-sink.ts';
import { pemFile } from '../authority-file.ts';
import { modbusSink } from '../modbus/plc-door.ts';
import { imageFolderSink } from '../sinks/image-folder-sink.ts';
import { jsonLinesSink } from '../sinks/json-lines-sink.ts';
import { mqttSink } from '../sinks/mqtt-sink.ts';
import type { PlcDoors } from './plc-doors.ts';

/** What sinks of a station share. */
export interface StationSinkSetup extends Omit<SinkSetup, 'name'> {
  readonly plc: PlcDoors;
}

/** @param folder what relative paths are relative to. @throws {KerfError} INVALID_ARGUMENT. */
export function makeSink(config: SinkConfig, folder: string, setup: StationSinkSetup): Sink {
  const own = { ...setup, name: config.name };
  switch (config.kind) {
    case 'json-lines':
      return jsonLinesSink({ ...config, path: resolve(folder, config.path) }, own);
    case 'images':
      return imageFolderSink({ ...config, path: resolve(folder, config.path) }, own);
    case 'webhook':
      return webhookSink(
        config,
        own,
        ...(config.ca === null ? [] : [fetchTrusting(pemFile(resolve(folder, config.ca)))]),
      );
    case 'mqtt':
      return mqttSink({ ...config, ...pemPaths(config, folder) }, own);
    case 'modbus':
      return modbusSink(config.name, setup.plc.of(config));
  }
}

function pemPaths(
  { ca, certificate, key }: MqttConfig,
  folder: string,
): Pick<MqttConfig, 'ca' | 'certificate' | 'key'> {
  const at = (path: string | null): string | null => (path === null ? null : resolve(folder, path));
  return { ca: at(ca), certificate: at(certificate), key: at(key) };
}
