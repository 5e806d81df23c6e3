// The registry as a mirror that devices fetch from, with their credential.
import type { DeltaStep, Mirror } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import type { RegistryClient } from './registry-client.ts';

/** @param name for people */
export function registryMirror(client: RegistryClient, name: string): Mirror {
  return {
    name,
    async open(path, offset, length) {
      const isRange = offset > 0 || length !== null;
      const range = `bytes=${offset}-${length === null ? '' : offset + length - 1}`;
      const answer = await client
        .raw({ method: 'GET', path: `/repository/${path}`, headers: isRange ? { range } : {} })
        .catch((cause: unknown) => {
          throw unavailable(name, cause);
        });
      if (answer.status === 200 || answer.status === 206) return bytesOf(answer.body, name);
      answer.body.resume();
      if (answer.status === 404) return null;
      // A range that begins at the end of the file.
      if (answer.status === 416) return bytesOf([], name);
      throw unavailable(name, null, `it answered with status ${answer.status}`);
    },
    async route(from, to) {
      try {
        return (await client.json<{ steps: DeltaStep[] }>('GET', `/v1/routes/${from}/${to}`)).steps;
      } catch (error) {
        // A registry that does not know one of the files; whatever else is wrong, the next request meets it too.
        if (KerfError.is(error) && error.code === 'NOT_FOUND') return null;
        throw unavailable(name, error);
      }
    },
  };
}

async function* bytesOf(
  body: AsyncIterable<unknown> | Iterable<unknown>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (cause) {
    throw unavailable(name, cause);
  }
}

function unavailable(name: string, cause: unknown, why = 'it does not answer'): KerfError {
  return new KerfError('MIRROR_UNAVAILABLE', `${name}: ${why}`, cause === null ? {} : { cause });
}
