// The messages between a bridge and its service; requests and answers are matched by `id`.
import { KerfError } from '@kerf/protocol';
import * as v from 'valibot';
import { CALLS, type CallName, TOPICS, type TopicName } from './contract.ts';

const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const topic = v.picklist(TOPICS);

const TO_SERVICE = v.variant('kind', [
  v.strictObject({
    kind: v.literal('call'),
    id,
    name: v.picklist(Object.keys(CALLS) as CallName[]),
    params: v.unknown(),
  }),
  v.strictObject({ kind: v.literal('subscribe'), topic }),
  v.strictObject({ kind: v.literal('unsubscribe'), topic }),
  /** The reader has drawn one `live`: it takes the next. */
  v.strictObject({ kind: v.literal('taken'), topic }),
]);

const cause = v.objectWithRest({ kind: v.string() }, v.union([v.string(), v.number()]));

const TO_BRIDGE = v.variant('kind', [
  v.object({ kind: v.literal('answer'), id, value: v.unknown() }),
  /** `cause`: absent from an older station. */
  v.object({
    kind: v.literal('fault'),
    id: v.nullable(id),
    code: v.string(),
    message: v.string(),
    cause: v.optional(v.nullable(cause), null),
  }),
  v.object({ kind: v.literal('event'), topic, value: v.unknown() }),
]);

export type ToService = v.InferOutput<typeof TO_SERVICE>;
export type ToBridge = v.InferOutput<typeof TO_BRIDGE>;
export type { TopicName };

/** @throws {KerfError} MESSAGE_MALFORMED. */
export function readToService(value: unknown): ToService {
  return read(TO_SERVICE, value);
}

/** @throws {KerfError} MESSAGE_MALFORMED. */
export function readToBridge(value: unknown): ToBridge {
  return read(TO_BRIDGE, value);
}

function read<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const { success, output, issues } = v.safeParse(schema, value);
  if (success) return output;
  throw new KerfError('MESSAGE_MALFORMED', `a message of the Inspector cannot be read: ${issues[0].message}`);
}
