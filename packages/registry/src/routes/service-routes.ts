// What anyone may ask: whether the registry lives, whether it can serve, and what it understands.
import type { RegistryContext } from '../context.ts';
import { anyone, ok, type Route } from '../http/route.ts';
import { BAD_REQUEST, flag, object, RATE_LIMITED, UNAVAILABLE } from '../http/shapes.ts';

/** @param describe the OpenAPI document, which holds these routes too */
export function serviceRoutes({ database }: RegistryContext, describe: () => unknown): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/health/live',
      id: 'live',
      summary: 'The process runs.',
      access: anyone,
      answers: { 200: { description: 'it does', body: object({ live: flag }) }, ...BAD_REQUEST, ...RATE_LIMITED },
      handle: async () => ok({ live: true }),
    },
    {
      method: 'GET',
      path: '/v1/health/ready',
      id: 'ready',
      summary: 'The database answers.',
      access: anyone,
      answers: {
        200: { description: 'it does', body: object({ ready: flag }) },
        ...BAD_REQUEST,
        ...RATE_LIMITED,
        ...UNAVAILABLE,
      },
      async handle() {
        await database.all('SELECT 1 AS one');
        return ok({ ready: true });
      },
    },
    {
      method: 'GET',
      path: '/openapi.json',
      id: 'openapi',
      summary: 'This description.',
      access: anyone,
      answers: { 200: { description: 'OpenAPI 3.1', body: { type: 'object' } }, ...BAD_REQUEST, ...RATE_LIMITED },
      handle: async () => ok(describe()),
    },
  ];
}
