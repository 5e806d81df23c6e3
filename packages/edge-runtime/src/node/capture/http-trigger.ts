// POST requests -> triggers, and the results -> the answers.
import { KerfError } from '@kerf/protocol';
import type { HttpTriggerConfig } from '../../capture/http-config.ts';
import type { SourceSetup } from '../../capture/options.ts';
import { partIdSaid } from '../../capture/part-id.ts';
import type { Trigger, TriggerRequest } from '../../capture/trigger.ts';
import { awaitResult } from '../http/await-result.ts';
import type { HttpDoor, HttpRequest } from '../http/http-door.ts';
import { hashText } from './hash-text.ts';

const MAX_BODY_BYTES = 4096;

/** The part's id stands in the query (`?part=`) or in a JSON body (`{"partId": "P-17"}`). */
export function httpTrigger(
  config: HttpTriggerConfig,
  setup: Pick<SourceSetup, 'name' | 'clock'>,
  door: HttpDoor,
): Trigger {
  const counters = { fired: 0, refused: 0, late: 0 };
  let isOpen = false;
  return {
    name: setup.name,
    counters,
    start: async (fire) => {
      if (isOpen) throw new KerfError('INVALID_ARGUMENT', `trigger '${setup.name}' was started before`);
      const answer: Parameters<HttpDoor['add']>[0]['answer'] = (request) => {
        const given = request.headers['idempotency-key'];
        const key = given === undefined ? null : hashText(`${setup.name}\n${String(given)}`);
        const partId = partIdOf(request);
        const waiting = { clock: setup.clock, withinMs: config.answerWithin, signal: request.signal, key };
        const result = awaitResult(waiting, () => counters.late++);
        try {
          fire({ partId, key, onResult: result.onResult } satisfies TriggerRequest);
          counters.fired++;
        } catch (error) {
          counters.refused++;
          throw error;
        }
        return result.answer();
      };
      await door.add({ path: config.path, maxBytes: MAX_BODY_BYTES, answer });
      isOpen = true;
    },
    stop: async () => {
      if (!isOpen) return;
      isOpen = false;
      await door.remove(config.path);
    },
  };
}

/** Undefined where it holds no such thing. */
function partIdInJson(text: string): string | null | undefined {
  try {
    const { partId = null } = JSON.parse(text) as { partId?: unknown };
    return partId === null || typeof partId === 'string' ? partId : undefined;
  } catch {
    return undefined;
  }
}

function partIdOf({ query, body }: HttpRequest): string | null {
  if (body.byteLength === 0) return partIdSaid(query.get('part'));
  const partId = partIdInJson(body.toString());
  if (partId === undefined) {
    throw new KerfError('INVALID_ARGUMENT', 'the body must be JSON such as {"partId": "P-17"}, or empty');
  }
  return partIdSaid(partId ?? query.get('part'));
}
