// Two replicas behind HAProxy or nginx: one is drained, one is killed, and every frame is answered once, by either.
import { EdgeSession, type Outcome } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import type { Backend } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Balancer, isInstalled, startHaproxy, startNginx } from '../support/balancers.ts';
import type { KerfServe } from '../support/kerf-serve.ts';
import { frameOf, isRight, openReluCloud, type ReluCloud } from './support/relu-cloud.ts';
import { pause } from './support/workshop.ts';

const ROW = 1024;
const FRAMES = 120;
const BALANCERS = [
  { name: 'haproxy', start: startHaproxy, scheme: 'wss' },
  { name: 'nginx', start: startNginx, scheme: 'ws' },
] as const;

describe.each(BALANCERS)('two replicas behind $name', ({ name, start, scheme }) => {
  let shop: ReluCloud | null = null;
  let backend: Backend;
  let balancer: Balancer | null = null;
  const replicas: KerfServe[] = [];
  const serve = async (port = 0): Promise<KerfServe> => {
    shop ??= await openReluCloud();
    return shop.serve(port, '--preload', 'm');
  };

  beforeAll(async () => {
    if (!isInstalled(name)) return;
    backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    for (let count = 0; count < 2; count++) replicas.push(await serve());
    balancer = await start(replicas.map(({ port }) => port));
  });
  afterAll(async () => {
    await balancer?.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await backend?.dispose();
    await shop?.remove();
  });

  it('lose no frame when one is drained and the other killed', async (context) => {
    const [first, second] = replicas;
    if (balancer === null || shop === null || first === undefined || second === undefined) {
      context.skip(`${name} is not installed`);
      return;
    }
    const opened = await openSplitFolder(shop.split, { backend, withTail: false });
    const sessions = await Promise.all(
      [1, 2, 3].map(() =>
        EdgeSession.open({
          ...opened,
          cloud: {
            model: 'm',
            connect: wsConnect({ url: `${scheme}://127.0.0.1:${balancer?.port}`, ca: first.ca }),
            token: first.token(),
          },
          options: { deadlineMs: 60_000, backoffBaseMs: 50, backoffMaxMs: 500, maxQueuedFrames: 1000, maxSends: 20 },
        }),
      ),
    );
    for (const session of sessions) expect(await session.waitForCloud(20_000)).toEqual({ connected: true });
    const outcomes: Promise<Outcome>[][] = sessions.map(() => []);
    let struck: Promise<unknown> = Promise.resolve();
    for (let index = 0; index < FRAMES; index++) {
      sessions.forEach((session, at) => outcomes[at]?.push(session.infer(frameOf(index, ROW))));
      if (index === 30) {
        struck = (async () => {
          expect(await first.stop()).toBe(0);
          replicas[0] = await serve(first.port);
          await second.kill();
          replicas[1] = await serve(second.port);
        })();
      }
      await pause(10);
    }
    await struck;
    for (const list of outcomes) {
      const settled = await Promise.all(list);
      const wrong = settled.filter((outcome, index) => !isRight(outcome, index, ROW));
      expect(wrong.map((outcome) => (outcome.kind === 'failed' ? outcome.message : outcome.kind))).toEqual([]);
      expect(new Set(settled.map(({ frame }) => frame)).size).toBe(FRAMES);
      expect(settled.every((outcome) => outcome.kind === 'result' && outcome.placement === 'split')).toBe(true);
    }
    for (const session of sessions) session.close();
    await opened.dispose();
  });
});
