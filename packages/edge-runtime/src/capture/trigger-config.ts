// The `trigger` group of a station file: one shape for each kind of trigger.
import { named } from '../config/named.ts';
import { kinds, type ValueOf } from '../config/shape.ts';
import { plcShape } from '../plc/plc-config.ts';
import { httpTriggerShape } from './http-config.ts';
import { scannerShape } from './scanner-config.ts';

/** Every kind of trigger that a station file can name. */
export const TRIGGER_CONFIG = kinds({
  http: named(httpTriggerShape, 'http'),
  modbus: named(plcShape, 'modbus'),
  scanner: named(scannerShape, 'scanner'),
});

export type TriggerConfig = ValueOf<typeof TRIGGER_CONFIG>;
