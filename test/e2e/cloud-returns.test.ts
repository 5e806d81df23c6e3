// A network that was away for ten seconds and comes back: how soon the cloud answers frames again.
import { join } from 'node:path';
import { EdgeSession, type SessionStatus } from '@kerf/edge-runtime';
import { openSplitFolder } from '@kerf/edge-runtime/node';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { FaultProxy, GOOD_MOOD } from '../chaos/fault-proxy.ts';
import { doubler, isDoubled, rowOf } from './support/models.ts';
import { openWorkshop, pause, reference, until, type Workshop } from './support/workshop.ts';

const OUTAGE_MS = 10_000;
const ROW = 256;

let shop: Workshop;
let cloudPort: number;

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(doubler(), ['mid'], 'm');
  cloudPort = (await shop.serve(0, '--preload', 'm')).port;
});
afterAll(() => shop?.remove());

/** Takes the network away and gives it back; both may leave connections as they are, or end them. */
const OUTAGES: Record<string, { begin(proxy: FaultProxy): Promise<void>; end(proxy: FaultProxy): Promise<void> }> = {
  'whose port is closed': {
    begin: (proxy) => proxy.close(),
    end: (proxy) => proxy.reopen(),
  },
  'that resets every connection': {
    begin: async (proxy) => {
      proxy.change({ refuses: true });
      proxy.reset();
    },
    end: async (proxy) => proxy.change({ refuses: false }),
  },
  'that is silent, and has forgotten its connections': {
    begin: async (proxy) => {
      proxy.reset();
      proxy.change({ holdsUp: true, holdsDown: true });
    },
    end: async (proxy) => proxy.change({ holdsUp: false, holdsDown: false }),
  },
  'that takes connections and swallows what is sent over them, then and later': {
    begin: async (proxy) => {
      proxy.reset();
      proxy.change({ largestPiece: 0 });
    },
    end: async (proxy) => proxy.change({ largestPiece: GOOD_MOOD.largestPiece }),
  },
};

describe('after ten seconds without the cloud', () => {
  test.concurrent.for(Object.entries(OUTAGES))('a network %s', async ([name, outage], { expect }) => {
    const proxy = await FaultProxy.start(cloudPort, Math.random);
    const opened = await openSplitFolder(join(shop.models, 'm'), { backend: reference, withTail: false });
    // Every pause is as long as it may be.
    const session = await EdgeSession.open({
      ...opened,
      cloud: await shop.target('m', proxy.port),
      options: { random: () => 0.99, deadlineMs: 60_000 },
    });
    try {
      expect(await session.waitForCloud(30_000)).toEqual({ connected: true });
      const statuses: SessionStatus[] = [];
      session.onStatus((status) => statuses.push(status));
      await outage.begin(proxy);
      await pause(OUTAGE_MS);
      const waiting = session.infer(new Map([['x', rowOf(1, ROW)]]));
      await outage.end(proxy);
      const startMs = performance.now();
      await until(() => statuses.at(-1)?.kind === 'connected', 'the cloud is back');
      console.log(`${name}: connected ${(performance.now() - startMs).toFixed(0)} ms after the network`);
      expect(statuses.filter(({ kind }) => kind === 'connected')).toHaveLength(1);
      const outcome = await waiting;
      expect(outcome).toMatchObject({ kind: 'result', placement: 'split' });
      expect(outcome.kind === 'result' && isDoubled(outcome.outputs.get('y'), 1, ROW)).toBe(true);
      const pauses = statuses.flatMap((status) => (status.kind === 'reconnecting' ? [status.delayMs] : []));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(2000);
      expect(pauses.length).toBeLessThan(20);
    } finally {
      session.close();
      await opened.dispose();
      await proxy.close();
    }
  });
});
