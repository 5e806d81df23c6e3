// Links of which one direction, or both, carry nothing any more while no end is told: each end finds out by itself, and holds no
// more meanwhile than its bounds say.
import { join } from 'node:path';
import { type Cloud, type LogEvent, startCloud } from '@kerf/cloud-runtime';
import { EdgeSession, type Outcome, type SessionStatus } from '@kerf/edge-runtime';
import { openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { doubler, isDoubled, rowOf } from './support/models.ts';
import { openWorkshop, pause, reference, until, type Workshop } from './support/workshop.ts';

/** 64 KiB of activations a frame: what waits is seen. */
const ROW = 16_384;
const PING_MS = 300;
/** Many times as long as either end may take. */
const SILENCE_MS = 20 * PING_MS;
const BOUNDS = { maxQueuedFrames: 8, maxPreparedFrames: 2, maxInFlightFrames: 4 };

let shop: Workshop;
let cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(doubler(), ['mid'], 'm');
});
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});
afterAll(() => shop?.remove());

async function serve(events: LogEvent[]): Promise<Cloud> {
  const cloud = await startCloud({
    modelsDir: shop.models,
    stateDir: shop.state,
    port: 0,
    tls: { kind: 'insecure' },
    auth: { kind: 'none' },
    limits: { pingIntervalMs: PING_MS },
    log: (event) => events.push(event),
  });
  cleanUp.push(() => cloud.close());
  return cloud;
}

test.for([
  ['from the device', { holdsUp: true }],
  ['to the device', { holdsDown: true }],
  ['in either direction', { holdsUp: true, holdsDown: true }],
] as const)('nothing comes through %s', async ([, silence]) => {
  const events: LogEvent[] = [];
  const cloud = await serve(events);
  const proxy = await FaultProxy.start(cloud.port, Math.random);
  cleanUp.push(() => proxy.close());
  const opened = await openSplitFolder(join(shop.models, 'm'), { backend: reference, withTail: false });
  cleanUp.push(() => opened.dispose());
  const session = await EdgeSession.open({
    ...opened,
    cloud: { model: 'm', token: null, connect: wsConnect({ url: `ws://127.0.0.1:${proxy.port}` }) },
    options: {
      ...BOUNDS,
      pingIntervalMs: PING_MS,
      peerTimeoutMs: 3 * PING_MS,
      connectTimeoutMs: 2 * PING_MS,
      deadlineMs: 4 * PING_MS,
    },
  });
  cleanUp.push(() => session.close());
  const statuses: SessionStatus[] = [];
  session.onStatus((status) => statuses.push(status));
  expect(await session.waitForCloud(30_000)).toEqual({ connected: true });

  proxy.change({ ...silence, forgets: true });
  const outcomes: Promise<Outcome>[] = [];
  const endMs = performance.now() + SILENCE_MS;
  const ended = (): number => events.filter(({ event }) => event === 'link-ended').length;
  let most = 0;
  while (performance.now() < endMs || ended() === 0) {
    outcomes.push(session.infer(new Map([['x', rowOf(outcomes.length, ROW)]])));
    most = Math.max(most, session.snapshot.unfinishedFrames);
    await pause(20);
  }
  // Both ends know, and neither was told by its socket.
  expect(statuses.map(({ kind }) => kind)).toContain('reconnecting');
  expect(ended()).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(BOUNDS.maxQueuedFrames + BOUNDS.maxPreparedFrames + BOUNDS.maxInFlightFrames);
  const kinds = new Set(
    (await Promise.all(outcomes)).map((outcome) => (outcome.kind === 'failed' ? outcome.code : 'result')),
  );
  for (const kind of kinds) expect(['LINK_LOST', 'DEADLINE_EXCEEDED', 'OVERLOADED', 'result']).toContain(kind);

  proxy.change({ holdsUp: false, holdsDown: false, forgets: false });
  proxy.reset();
  await until(() => session.snapshot.status.kind === 'connected', 'the cloud is back');
  const after = await session.infer(new Map([['x', rowOf(1, ROW)]]), { deadlineMs: 30_000 });
  expect(after.kind === 'result' && isDoubled(after.outputs.get('y'), 1, ROW)).toBe(true);
  expect(session.snapshot.unfinishedFrames).toBe(0);
});
