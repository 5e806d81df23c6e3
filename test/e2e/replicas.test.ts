// Two replicas behind HAProxy or nginx: one is drained, one is killed, and every frame is answered once, by either.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EdgeSession, type Outcome } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { type Backend, float32Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Balancer, isInstalled, startHaproxy, startNginx } from '../support/balancers.ts';
import { type KerfServe, startServe } from '../support/kerf-serve.ts';
import { MANIFEST, MODELS } from './pages/build-page.ts';

const ROW = 1024;
const FRAMES = 120;
const frameOf = (index: number): TensorMap =>
  new Map([
    [
      'x',
      float32Tensor(
        [1, ROW],
        Float32Array.from({ length: ROW }, (_, at) => at - index),
      ),
    ],
  ]);

function isRight(outcome: Outcome, index: number): boolean {
  if (outcome.kind !== 'result') return false;
  const y = typedView(outcome.outputs.get('y')!) as Float32Array;
  return y.length === ROW && y.every((value, at) => value === 2 * Math.max(0, at - index));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const BALANCERS = [
  { name: 'haproxy', start: startHaproxy, scheme: 'wss' },
  { name: 'nginx', start: startNginx, scheme: 'ws' },
] as const;

describe.each(BALANCERS)('two replicas behind $name', ({ name, start, scheme }) => {
  let folder = '';
  let backend: Backend;
  let balancer: Balancer | null = null;
  const replicas: KerfServe[] = [];
  // One state folder: the same certificate, and tokens that both take.
  const serve = (port = 0): Promise<KerfServe> =>
    startServe({ models: join(folder, 'models'), state: join(folder, 'state'), port, args: ['--preload', 'm'] });

  beforeAll(async () => {
    if (!isInstalled(name)) return;
    folder = await mkdtemp(join(tmpdir(), 'kerf-replicas-'));
    const split = join(folder, 'models', 'm');
    await mkdir(split, { recursive: true });
    await writeFile(join(split, 'head.onnx'), MODELS.head);
    await writeFile(join(split, 'tail.onnx'), MODELS.tail);
    await writeFile(join(split, 'split.json'), JSON.stringify(MANIFEST));
    backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    for (let count = 0; count < 2; count++) replicas.push(await serve());
    balancer = await start(replicas.map(({ port }) => port));
  });
  afterAll(async () => {
    await balancer?.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await backend?.dispose();
    if (folder !== '') await rm(folder, { recursive: true });
  });

  it('lose no frame when one is drained and the other killed', async (context) => {
    const [first, second] = replicas;
    if (balancer === null || first === undefined || second === undefined) {
      context.skip(`${name} is not installed`);
      return;
    }
    const opened = await openSplitFolder(join(folder, 'models', 'm'), { backend, withTail: false });
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
      sessions.forEach((session, at) => outcomes[at]?.push(session.infer(frameOf(index))));
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
      const wrong = settled.filter((outcome, index) => !isRight(outcome, index));
      expect(wrong.map((outcome) => (outcome.kind === 'failed' ? outcome.message : outcome.kind))).toEqual([]);
      expect(new Set(settled.map(({ frame }) => frame)).size).toBe(FRAMES);
      expect(settled.every((outcome) => outcome.kind === 'result' && outcome.placement === 'split')).toBe(true);
    }
    for (const session of sessions) session.close();
    await opened.dispose();
  });
});
