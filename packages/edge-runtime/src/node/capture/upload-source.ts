// Pictures that are posted -> captures, and their results -> the answers.
import { setImmediate } from 'node:timers/promises';
import { KerfError } from '@kerf/protocol';
import { CaptureDesk } from '../../capture/capture-desk.ts';
import type { UploadConfig } from '../../capture/http-config.ts';
import { sleep } from '../../capture/keep-alive.ts';
import { type FormField, readMultipart } from '../../capture/multipart.ts';
import type { SourceSetup } from '../../capture/options.ts';
import { partIdSaid } from '../../capture/part-id.ts';
import type { Source } from '../../capture/source.ts';
import { formatOfBytes } from '../../capture/taken.ts';
import { awaitResult } from '../http/await-result.ts';
import type { HttpAnswer, HttpDoor, HttpRequest } from '../http/http-door.ts';
import { hashText } from './hash-text.ts';

/** At the end, requests that wait for their result get it if it comes within this. */
const PARTING_MS = 2_000;

/**
 * Takes a PNG, JPEG or WebP as the body of a POST, or as a file of a form. An upload with the `Idempotency-Key` of an earlier
 * one is the same part.
 */
export function uploadSource(config: UploadConfig, setup: SourceSetup, door: HttpDoor): Source {
  const desk = new CaptureDesk({ ...setup, hasTrigger: false }, false);
  let isOpen = false;
  const inside = new Set<Promise<HttpAnswer>>();
  const answer = async (request: HttpRequest): Promise<HttpAnswer> => {
    if (!isOpen) throw new KerfError('CLOSED', 'the station takes no more pictures');
    const { bytes, partId } = contentOf(request);
    const format = formatOfBytes(bytes);
    if (format === null) throw new KerfError('IMAGE_INVALID', 'send a PNG, JPEG or WebP');
    const given = request.headers['idempotency-key'];
    const key = given === undefined ? null : hashText(`${setup.name}\n${String(given)}`);
    const waiting = { clock: setup.clock, withinMs: config.answerWithin, signal: request.signal, key };
    const result = awaitResult(waiting, () => desk.counters.late++);
    const picture = { kind: 'encoded' as const, format, bytes };
    await desk.put({ what: { picture }, partId, key, onResult: result.onResult });
    return result.answer();
  };
  return {
    name: setup.name,
    counters: desk.counters,
    start: async (handler) => {
      desk.open(handler);
      desk.state({ kind: 'starting' });
      const counted = (request: HttpRequest): Promise<HttpAnswer> => {
        const answering = answer(request).finally(() => inside.delete(answering));
        inside.add(answering);
        return answering;
      };
      await door.add({ path: config.path, maxBytes: config.largest, answer: counted });
      isOpen = true;
      desk.state({ kind: 'running' });
    },
    trigger: () => {
      throw new KerfError('INVALID_ARGUMENT', `source '${setup.name}' takes uploads: each is its own trigger`);
    },
    stop: async () => {
      if (!isOpen) return;
      isOpen = false;
      desk.close();
      const parted = new AbortController();
      void Promise.allSettled(inside).then(() => parted.abort());
      await sleep(setup.clock, PARTING_MS, parted.signal);
      await setImmediate(); // the answers are written
      await door.remove(config.path);
      desk.state({ kind: 'stopped' });
    },
  };
}

function contentOf({ headers, query, body }: HttpRequest): { bytes: Uint8Array; partId: string | null } {
  const type = headers['content-type'] ?? '';
  const named = query.get('part') ?? headerText(headers['kerf-part-id']);
  if (!/^multipart\/form-data\b/i.test(type)) return { bytes: body, partId: partIdSaid(named) };
  const fields = readMultipart(body, type);
  const file = fields.find(({ fileName }) => fileName !== null);
  if (file === undefined) throw new KerfError('INVALID_ARGUMENT', 'the form has no file');
  return { bytes: file.bytes, partId: partIdSaid(textOf(fields.find(({ name }) => name === 'part')) ?? named) };
}

function textOf(field: FormField | undefined): string | null {
  return field === undefined ? null : new TextDecoder().decode(field.bytes);
}

/** Node reads the bytes of a header as Latin-1, which they are only where they are no UTF-8. */
function headerText(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  const latin = String(value);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(latin, 'latin1'));
  } catch {
    return latin;
  }
}
