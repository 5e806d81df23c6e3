// What auditors call: entries of the log, and its newest one as a checkpoint.

import { CHECKPOINT_FORMAT } from '../audit/chain.ts';
import { auditCheckpoint, auditEntries } from '../audit/log.ts';
import type { RegistryContext } from '../context.ts';
import { may, ok, type Route } from '../http/route.ts';
import {
  BAD_REQUEST,
  count,
  digest,
  FORBIDDEN,
  object,
  RATE_LIMITED,
  text,
  timeMs,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from '../http/shapes.ts';
import { afterOf, limitOf, page, pageQuery } from './paging.ts';

const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...RATE_LIMITED, ...UNAVAILABLE };

const entry = object({
  number: { type: 'integer', minimum: 1 },
  at: timeMs,
  actor: text(255),
  action: text(64),
  subject: text(255),
  detail: text(65_536, 'JSON, as it was hashed'),
  previous: digest,
  hash: digest,
});

const checkpoint = object({ format: { const: CHECKPOINT_FORMAT }, number: count, hash: digest, at: timeMs });

export function auditRoutes({ database }: RegistryContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/audit',
      id: 'listAudit',
      summary: 'Entries of the audit log, oldest first.',
      access: may('audit'),
      query: pageQuery({ type: 'integer', minimum: 0 }),
      answers: { 200: { description: 'some entries', body: page('entries', entry) }, ...COMMON },
      async handle({ query }) {
        const limit = limitOf(query);
        const entries = await auditEntries(database, Number(query['after'] ?? 0), limit);
        return ok({ entries, after: afterOf(entries, limit, ({ number }) => String(number)) });
      },
    },
    {
      method: 'GET',
      path: '/v1/audit/checkpoint',
      id: 'auditCheckpoint',
      summary: 'The newest entry, to be kept elsewhere: the log can then not be cut or written anew unnoticed.',
      access: may('audit'),
      answers: {
        200: {
          description: 'the checkpoint',
          body: object({ checkpoint: { ...checkpoint, type: ['object', 'null'] } }),
        },
        ...COMMON,
      },
      handle: async () => ok({ checkpoint: await auditCheckpoint(database) }),
    },
  ];
}
