// The keys of a Modbus trigger and of a Modbus sink in a station file. Both with one `listen` share one door.
import { list, maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, text } from '../config/values.ts';

export const plcShape = object({
  listen: withDefault(text(), '127.0.0.1:1502', 'Address and port where the PLC connects; Modbus has port 502.'),
  allow: withDefault(
    list(text(), { most: 32 }),
    [],
    'IP addresses that may connect; none named: any. Modbus has no passwords.',
  ),
  debounce: withDefault(
    duration({ leastMs: 0, mostMs: 10_000 }),
    0,
    'How long the trigger must stay on before it counts.',
  ),
  answerWithin: withDefault(
    duration({ leastMs: 10, mostMs: 600_000 }),
    5_000,
    'A trigger without a result after this gets error and review; the result that comes later counts as late.',
  ),
  ackWithin: withDefault(
    duration({ leastMs: 10, mostMs: 600_000 }),
    10_000,
    'The sink reports a result that is not acknowledged after this; its outputs stay on.',
  ),
  forgetAfter: withDefault(
    duration({ leastMs: 100, mostMs: 86_400_000 }),
    10_000,
    'Older results are not shown: their parts are gone.',
  ),
  heartbeat: withDefault(duration({ leastMs: 20, mostMs: 60_000 }), 500, 'How often the heartbeat changes.'),
  unit: maybe(
    text({ pattern: /^\d{1,3}$/, like: 'a number from 0 to 255' }),
    'Unit number that is answered; any where it is left out.',
  ),
});

/** Durations in milliseconds. */
export type PlcConfig = ValueOf<typeof plcShape>;
