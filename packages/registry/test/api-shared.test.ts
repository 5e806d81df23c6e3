// What every route has in common: bad requests, credentials, sizes, rates, a database that is down. Each route is tried with each.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { KerfError } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { type Api, startApi } from './api-harness.ts';
import { TEST_ENGINES } from './databases.ts';

interface Tried {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly takesBody: boolean;
  readonly statuses: readonly string[];
  /** `token`, `device`, `enrolment`, both of the first two, or none. */
  readonly schemes: readonly string[];
}

const DIGEST = 'a'.repeat(64);
const VALUES: Record<string, string> = {
  path: 'metadata/timestamp.json',
  sha256: DIGEST,
  from: DIGEST,
  to: DIGEST,
  release: DIGEST,
};
const SECRET = 's';
const LIMITS = { maxJsonBytes: 1000, maxPublicationBytes: 1000, maxBlobBytes: 1000 };

let isDown = false;
let api: Api;
let routes: Tried[];
let device: string;

const breakable = (database: Database): Database => {
  const working = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDown) throw new KerfError('STORE_FAILED', 'connect ECONNREFUSED /var/run/secret');
    return work();
  };
  return {
    ...database,
    all: (text, values) => working(() => database.all(text, values)),
    transaction: (work) => working(() => database.transaction(work)),
  };
};

beforeAll(async () => {
  api = await startApi(TEST_ENGINES[0]!, LIMITS, breakable);
  routes = Object.entries(api.openApi.paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, { operationId, responses, security, requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      target: template.replaceAll(/\{(\w+)\}/g, (_, name: string) => VALUES[name] ?? 'x'),
      takesBody: requestBody !== undefined,
      statuses: Object.keys(responses),
      schemes: security.flatMap((one) => Object.keys(one)),
    })),
  );
  const admin = await api.token(['devices']);
  const json = { groups: [], labels: {}, deviceId: null, expiresInSeconds: 60 };
  const made = await api.call('POST', '/v1/enrolments', { as: admin, json });
  const credentialSha256 = createHash('sha256').update(SECRET).digest('hex');
  await api.call('POST', '/v1/device/enrol', { as: made.json.token, json: { device: 'd', credentialSha256 } });
  device = `kd1.d.${SECRET}`;
});

afterAll(() => api.close());

/** A credential that the route takes, and one that it does not. */
async function credentials({ schemes, id }: Tried): Promise<{ right: string | null; wrong: string | null }> {
  const nobody = await api.token(['read'], `nobody-${id}`);
  if (schemes.includes('device') && schemes.includes('token')) {
    return { right: await api.token(['*'], `right-${id}`), wrong: await api.token(['audit'], `wrong-${id}`) };
  }
  if (schemes.includes('device')) return { right: device, wrong: nobody };
  if (schemes.includes('token')) return { right: await api.token(['*'], `right-${id}`), wrong: device };
  if (schemes.includes('enrolment')) return { right: 'ke1.none.none', wrong: null };
  return { right: null, wrong: null };
}

/** Routes whose description has the status, each called; all must answer with it. */
async function everyRoute(
  status: number,
  call: (route: Tried) => Promise<{ status: number; code?: string }>,
): Promise<void> {
  const concerned = routes.filter(({ statuses }) => statuses.includes(String(status)));
  expect(concerned.length).toBeGreaterThan(3);
  for (const route of concerned) {
    expect((await call(route)).status, `${route.method} ${route.target}`).toBe(status);
  }
}

test('an unknown query is refused', () =>
  everyRoute(400, async (route) => {
    const { right } = await credentials(route);
    return api.call(route.method, `${route.target}?nonsense=1`, { as: right });
  }));

test('bodies that do not fit are refused with the first thing that is wrong', async () => {
  const admin = await api.token(['*']);
  const send = async (method: string, target: string, options: object): Promise<string> =>
    (await api.call(method, target, { as: admin, ...options })).json.error.message;
  expect(await send('POST', '/v1/rollouts', { json: {} })).toBe("the body must have 'release'");
  const plan = { release: DIGEST, stages: [{ members: { kind: 'share', share: 2 } }] };
  expect(await send('POST', '/v1/rollouts', { json: plan })).toBe("'stages[0].members.share' must be at most 1");
  expect(await send('POST', '/v1/rollouts', { json: { release: DIGEST, stages: [], extra: 1 } })).toMatch(
    /must not have 'extra'/,
  );
  expect(await send('POST', '/v1/rollouts', { body: '{', headers: { 'content-type': 'application/json' } })).toMatch(
    /not JSON/,
  );
  expect(await send('POST', '/v1/rollouts', { body: '{}', headers: { 'content-type': 'text/plain' } })).toMatch(
    /application\/json/,
  );
  expect(await send('GET', '/v1/devices?limit=0', {})).toBe("the query: 'limit' must be at least 1");
  expect(await send('GET', '/v1/devices/%', {})).toMatch(/not well formed/);
  expect(await send('PUT', '/v1/devices/x/models/UPPER', { json: {} })).toMatch(/'model' must match/);
});

test('without a credential nothing but health and description is answered', () =>
  everyRoute(401, (route) => api.call(route.method, route.target)));

test('a credential of another kind or with other permissions is refused', () =>
  everyRoute(403, async (route) => {
    // Somebody who approves his own rollout is the other way to a 403.
    const { wrong } = await credentials(route);
    return api.call(route.method, route.target, { as: wrong });
  }));

test('a body that is too long is refused before it is read', () =>
  everyRoute(413, async (route) => {
    const { right } = await credentials(route);
    return api.call(route.method, route.target, {
      as: right,
      body: new Uint8Array(1001),
      headers: { 'content-type': 'application/json', 'x-kerf-sha256': DIGEST },
    });
  }));

test('a database that is down is said, without its words', async () => {
  isDown = true;
  try {
    await everyRoute(503, async (route) => {
      const { right } = await credentials(route);
      const body = route.takesBody ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const answer = await api.call(route.method, route.target, {
        ...body,
        as: route.schemes.includes('device') ? device : right,
      });
      // A body that does not fit, or a blob, is looked at before the database is.
      if (answer.status === 400) return { status: 503 };
      expect(answer.json.error).toMatchObject({ code: 'STORE_FAILED', retryable: true });
      expect(answer.json.error.message).not.toContain('/var');
      expect(answer.headers.get('retry-after')).not.toBeNull();
      return answer;
    });
  } finally {
    isDown = false;
  }
});

test('requests that come too fast are slowed down, each caller for itself', async () => {
  const slow = await startApi(TEST_ENGINES[0]!, { burstRequests: 1, requestsPerSecond: 0.001, burstRefusals: 100_000 });
  try {
    for (const route of routes.filter(
      ({ statuses, schemes }) => statuses.includes('429') && schemes.includes('token'),
    )) {
      const as = await slow.token(['*'], `subject-${route.id}`);
      await slow.call(route.method, route.target, { as });
      const answer = await slow.call(route.method, route.target, { as });
      expect([route.id, answer.status]).toEqual([route.id, 429]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    // Strangers share the rate of their address; the description was the first request of this one.
    for (const route of routes.filter(({ schemes }) => !schemes.includes('token') && !schemes.includes('device'))) {
      expect((await slow.call(route.method, route.target)).status).toBe(429);
    }
  } finally {
    await slow.close();
  }
});

test('secrets cannot be guessed by trying', async () => {
  const strict = await startApi(TEST_ENGINES[0]!, { burstRefusals: 5, refusalsPerMinute: 1 });
  try {
    const statuses: number[] = [];
    for (let at = 0; at < 8; at++) {
      statuses.push((await strict.call('POST', '/v1/device/check', { as: `kd1.d.${at}` })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  } finally {
    await strict.close();
  }
});

test('what is no HTTP, no TLS where there is none, and an upload that stops leave the registry as it was', async () => {
  const { port } = api.registry;
  for (const bytes of [
    '\u0016\u0003\u0001\u0002',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
  }
  const admin = await api.token(['*']);
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `PUT /v1/blobs/${DIGEST} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin}\r\ncontent-length: 900\r\n\r\nhalf`,
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  const missing = await api.call('POST', '/v1/blobs/missing', { as: admin, json: { blobs: [DIGEST], deltas: [] } });
  expect(missing.json.blobs).toEqual([DIGEST]);
  expect((await api.call('GET', '/v1/health/ready')).status).toBe(200);
});

test('the description says of every route how it is protected, and all shared answers have been seen', () => {
  const shared = ['400', '401', '403', '413', '429', '503'];
  for (const { id, statuses, schemes, takesBody } of routes) {
    expect([id, statuses.includes('401')]).toEqual([id, schemes.length > 0]);
    if (takesBody) expect([id, statuses.includes('413')]).toEqual([id, true]);
    expect([id, statuses.includes('400') && statuses.includes('429')]).toEqual([id, true]);
    expect(shared.filter((status) => statuses.includes(status)).length).toBeGreaterThan(1);
  }
});
