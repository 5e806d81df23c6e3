// The keys of an MQTT sink in a station file.
import { maybe, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, flag, text } from '../config/values.ts';
import { secretName } from './webhook-config.ts';

export const mqttShape = object({
  url: needed(text(), 'The broker: mqtt://host:1883, or mqtts://host:8883 for TLS.'),
  topic: withDefault(
    text({ mostCharacters: 512 }),
    'kerf/{station}/results',
    'Where results go. {station}, {verdict}, {source} and {part} are filled in; /, + and # in them become _.',
  ),
  statusTopic: withDefault(
    text({ mostCharacters: 512 }),
    'kerf/{station}/status',
    'Where online, offline and stopped are kept (retained); offline is the last will.',
  ),
  retain: withDefault(flag, false, 'True: the broker keeps the last result for those who subscribe later.'),
  user: maybe(text(), 'Name of the user.'),
  passwordFrom: maybe(secretName, "The environment variable with the user's password."),
  clientId: maybe(text({ mostCharacters: 128 }), 'Name of this client; kerf-STATION-SINK where it is left out.'),
  ca: maybe(text(), "PEM file of the authority that signed the broker's certificate."),
  certificate: maybe(text(), 'PEM file of a certificate of our own, where the broker asks for one.'),
  key: maybe(text(), 'PEM file with the key of `certificate`.'),
  keepAlive: withDefault(
    duration({ leastMs: 1000, mostMs: 3_600_000 }),
    30_000,
    'A link that is silent for longer counts as lost.',
  ),
  timeout: withDefault(
    duration({ leastMs: 50, mostMs: 600_000 }),
    10_000,
    'How long connecting and each confirmation may take.',
  ),
  allowPlainText: withDefault(
    flag,
    false,
    'True allows a password over mqtt:// to other machines, readable on the way.',
  ),
});

/** Durations in milliseconds, paths absolute. */
export type MqttConfig = ValueOf<typeof mqttShape>;
