// The keys of a Modbus trigger and of a Modbus sink in a station file. Both with one `listen` or `connect` share one door.
import { list, maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, number, text } from '../config/values.ts';

/** Where a table begins, counted from 0. */
const address = number({ least: 0, most: 65_000, whole: true });

export const plcShape = object({
  listen: withDefault(text(), '127.0.0.1:1502', 'Address and port where the PLC connects; Modbus has port 502.'),
  connect: maybe(
    text(),
    'Address and port of a PLC that is asked, instead of one that connects: the station is the client.',
  ),
  poll: withDefault(duration({ leastMs: 5, mostMs: 10_000 }), 50, 'With `connect`: how often the PLC is asked.'),
  timeout: withDefault(
    duration({ leastMs: 20, mostMs: 60_000 }),
    1_000,
    'With `connect`: a PLC that does not answer for so long is connected anew.',
  ),
  controlAt: withDefault(address, 0, 'With `connect`: first of the coils trigger, ack, reset.'),
  partAt: withDefault(address, 0, 'With `connect`: first of the 16 holding registers with the part id.'),
  outputsAt: withDefault(address, 16, 'With `connect`: first of the 11 coils that the station writes.'),
  resultsAt: withDefault(address, 32, 'With `connect`: first of the 48 holding registers that the station writes.'),
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
    'Unit number that is answered, any where it is left out; of a PLC that is asked, its own, else 1.',
  ),
});

/** Durations in milliseconds. */
export type PlcConfig = ValueOf<typeof plcShape>;
