// The `sinks` list of a station file: one shape for each kind of sink.
import { named } from '../config/named.ts';
import { kinds, type ValueOf } from '../config/shape.ts';
import { plcShape } from '../plc/plc-config.ts';
import { imageFolderShape } from './image-folder-config.ts';
import { jsonLinesShape } from './json-lines-config.ts';
import { mqttShape } from './mqtt-config.ts';
import { webhookShape } from './webhook-config.ts';

/** Every kind of sink that a station file can name. */
export const SINK_CONFIG = kinds({
  'json-lines': named(jsonLinesShape, 'json-lines'),
  images: named(imageFolderShape, 'images'),
  webhook: named(webhookShape, 'webhook'),
  mqtt: named(mqttShape, 'mqtt'),
  modbus: named(plcShape, 'modbus'),
});

export type SinkConfig = ValueOf<typeof SINK_CONFIG>;
