// The keys of uploads and of HTTP triggers in a station file. Both with one `listen` share one door.
import { maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { duration, flag, size, text } from '../config/values.ts';
import { secretName } from '../sinks/webhook-config.ts';

const path = text({ mostCharacters: 256, pattern: /^\/[\w./-]*$/, like: 'a path such as /parts' });
const door = {
  listen: withDefault(text(), '127.0.0.1:8090', 'Address and port to listen on.'),
  tokenFrom: maybe(secretName, 'The environment variable with the token that requests must carry.'),
  allowAnyone: withDefault(flag, false, 'True listens to other machines without a token.'),
  certificate: maybe(text(), 'PEM file of a certificate: then it is https://.'),
  key: maybe(text(), 'PEM file with the key of `certificate`.'),
};
const answerWithin = duration({ leastMs: 0, mostMs: 600_000 });

export const uploadShape = object({
  ...door,
  path: withDefault(path, '/parts', 'Path that pictures are posted to.'),
  largest: withDefault(
    size({ least: 1, most: 2 ** 30 }),
    64 * 2 ** 20,
    'Larger requests are refused before they are read.',
  ),
  answerWithin: withDefault(answerWithin, 10_000, 'How long a request waits for its result; then the answer is 202.'),
});

export const httpTriggerShape = object({
  ...door,
  path: withDefault(path, '/trigger', 'Path that triggers are posted to.'),
  answerWithin: withDefault(answerWithin, 10_000, 'How long a request waits for its result; then the answer is 202.'),
});

/** Durations in milliseconds, sizes in bytes, paths of files absolute. */
export type UploadConfig = ValueOf<typeof uploadShape>;
export type HttpTriggerConfig = ValueOf<typeof httpTriggerShape>;
export type HttpDoorConfig = Pick<UploadConfig, 'listen' | 'tokenFrom' | 'allowAnyone' | 'certificate' | 'key'>;
