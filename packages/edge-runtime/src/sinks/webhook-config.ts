// The keys of a webhook sink in a station file.
import { byName, maybe, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, flag, text } from '../config/values.ts';

export const secretName = text({
  mostCharacters: 128,
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  like: 'the name of an environment variable that holds the secret, such as KERF_SECRET',
});

export const webhookShape = object({
  url: needed(text(), 'Where each result is posted as JSON: https://, or http:// on this machine.'),
  secretFrom: maybe(secretName, 'The environment variable with the key that signs each request.'),
  tokenFrom: maybe(secretName, 'The environment variable with a token for the header `Authorization: Bearer`.'),
  headers: withDefault(byName(text(), { most: 20 }), {}, 'More headers, by name.'),
  ca: maybe(
    text(),
    "PEM file of the authority that signed the server's certificate, instead of the system's; relative to the station file.",
  ),
  timeout: withDefault(duration({ leastMs: 10, mostMs: 600_000 }), 10_000, 'How long a request may take.'),
  allowPlainText: withDefault(
    flag,
    false,
    'True allows http:// to other machines, where results can be read on the way.',
  ),
});

/** Durations in milliseconds. */
export type WebhookConfig = ValueOf<typeof webhookShape>;
