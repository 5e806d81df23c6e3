// What everyone may ask of deltas, and what asks for one to be made.
import { KerfError } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import { chooseRoute } from '../deltas/choose-route.ts';
import { askDelta, DELTA_STATES, deltaRow, deltasTowards, knownFile } from '../deltas/delta-rows.ts';
import { may, ok, type Route, reader } from '../http/route.ts';
import { count, digest, listOf, NOT_FOUND, object, orNull, TOO_LARGE, text } from '../http/shapes.ts';
import { COMMON, digestOrNone } from './common-answers.ts';

const delta = object({
  from: digestOrNone,
  to: digest,
  state: { enum: DELTA_STATES },
  bytes: orNull(count),
  doneBytes: count,
  totalBytes: count,
  attempts: count,
  reason: orNull(text(2048)),
});

/** @param onAsked a delta was asked for */
export function deltaRoutes(context: RegistryContext, onAsked: () => void): Route[] {
  const { database } = context;
  return [
    {
      method: 'POST',
      path: '/v1/deltas',
      id: 'askDelta',
      summary: 'Asks for a delta between two files of releases to be made.',
      access: may('publish'),
      body: object({ from: digestOrNone, to: digest }),
      answers: { 202: { description: 'how far it is', body: delta }, ...COMMON, ...NOT_FOUND, ...TOO_LARGE },
      async handle({ body }) {
        const { from, to } = body as { from: string; to: string };
        const row = await askDelta(context, from, to);
        onAsked();
        return { status: 202, json: row };
      },
    },
    {
      method: 'GET',
      path: '/v1/deltas/{from}/{to}',
      id: 'getDelta',
      summary: 'How far a delta is.',
      access: reader,
      parameters: { from: digestOrNone, to: digest },
      answers: { 200: { description: 'how far it is', body: delta }, ...COMMON, ...NOT_FOUND },
      async handle({ path: { from = '', to = '' } }) {
        const row = await deltaRow(database, from, to);
        if (row === null) throw new KerfError('NOT_FOUND', 'nobody has asked for this delta');
        return ok(row);
      },
    },
    {
      method: 'GET',
      path: '/v1/routes/{from}/{to}',
      id: 'getRoute',
      summary:
        'The cheapest way from one file to another with the deltas that are there: at most three of them, or the whole file.',
      access: reader,
      parameters: { from: digestOrNone, to: digest },
      answers: {
        200: {
          description: 'the way; without steps, the blob',
          body: object({
            steps: listOf(object({ from: digestOrNone, to: digest, bytes: count }), 3),
            bytes: count,
            wholeBytes: count,
          }),
        },
        ...COMMON,
        ...NOT_FOUND,
      },
      async handle({ path: { from = '', to = '' } }) {
        const file = await knownFile(database, to);
        if (file === null) throw new KerfError('NOT_FOUND', `no release has the file ${to}`);
        const choice = chooseRoute(from, to, file.bytes, await deltasTowards(database, to));
        return ok({ ...choice, wholeBytes: file.bytes });
      },
    },
  ];
}
