// A real cloud that is killed, restarted and drained while frames stream: every frame is answered once, and right.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EdgeSession, type Outcome } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { type Backend, float32Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KerfServe, startServe } from '../support/kerf-serve.ts';
import { MANIFEST, MODELS } from './pages/build-page.ts';

const ROW = 4096;
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

/** Twice the value where it is positive: what the whole model gives. */
function isRight(outcome: Outcome, index: number): boolean {
  if (outcome.kind !== 'result') return false;
  const y = typedView(outcome.outputs.get('y')!) as Float32Array;
  return y.length === ROW && y.every((value, at) => value === 2 * Math.max(0, at - index));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a cloud that comes and goes', () => {
  let folder = '';
  let backend: Backend;
  let cloud: KerfServe;
  const serve = (port = 0): Promise<KerfServe> =>
    startServe({ models: join(folder, 'models'), state: join(folder, 'state'), port });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-restart-'));
    const split = join(folder, 'models', 'm');
    await mkdir(split, { recursive: true });
    await writeFile(join(split, 'head.onnx'), MODELS.head);
    await writeFile(join(split, 'tail.onnx'), MODELS.tail);
    await writeFile(join(split, 'split.json'), JSON.stringify(MANIFEST));
    backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    cloud = await serve();
  });
  afterAll(async () => {
    await cloud?.stop();
    await backend?.dispose();
    await rm(folder, { recursive: true });
  });

  const openSession = async (withTail: boolean, deadlineMs: number) => {
    const opened = await openSplitFolder(join(folder, 'models', 'm'), { backend, withTail });
    const { url, ca } = cloud;
    const token = cloud.token();
    const session = await EdgeSession.open({
      ...opened,
      cloud: { model: 'm', connect: wsConnect({ url, ca }), token },
      options: { deadlineMs, backoffBaseMs: 50, backoffMaxMs: 500, maxQueuedFrames: 1000 },
    });
    expect(await session.waitForCloud(20_000)).toEqual({ connected: true });
    return { session, close: () => (session.close(), opened.dispose()) };
  };

  /** Starts `count` frames, 10 ms apart, with `accident` in the middle. */
  const stream = async (session: EdgeSession, count: number, accident: () => Promise<void>): Promise<Outcome[]> => {
    const outcomes: Promise<Outcome>[] = [];
    let struck: Promise<void> | null = null;
    for (let index = 0; index < count; index++) {
      outcomes.push(session.infer(frameOf(index)));
      if (index === Math.floor(count / 3)) struck = accident();
      await pause(10);
    }
    await struck;
    return Promise.all(outcomes);
  };

  const restart = async (): Promise<void> => {
    const { port } = cloud;
    await cloud.kill();
    cloud = await serve(port);
  };

  it('killed and restarted: a device without the tail waits, and has every answer', async () => {
    const { session, close } = await openSession(false, 60_000);
    const outcomes = await stream(session, 90, restart);
    expect(outcomes.map((outcome, index) => isRight(outcome, index))).toEqual(Array(90).fill(true));
    expect(new Set(outcomes.map(({ frame }) => frame)).size).toBe(90);
    expect(outcomes.every((outcome) => outcome.kind === 'result' && outcome.placement === 'split')).toBe(true);
    await close();
  });

  it('killed and restarted: a device with the tail goes on by itself', async () => {
    const { session, close } = await openSession(true, 60_000);
    const outcomes = await stream(session, 90, restart);
    expect(outcomes.map((outcome, index) => isRight(outcome, index))).toEqual(Array(90).fill(true));
    const places = new Set(outcomes.map((outcome) => outcome.kind === 'result' && outcome.placement));
    expect(places).toEqual(new Set(['split', 'edge']));
    await close();
  });

  it('drained for an update: no frame is lost, and the old process ends well', async () => {
    const { session, close } = await openSession(false, 60_000);
    const outcomes = await stream(session, 90, async () => {
      const { port } = cloud;
      expect(await cloud.stop()).toBe(0);
      cloud = await serve(port);
    });
    expect(outcomes.map((outcome, index) => isRight(outcome, index))).toEqual(Array(90).fill(true));
    await close();
  });

  it('gone for good: frames end at their deadline with a code', async () => {
    const { session, close } = await openSession(false, 1500);
    await cloud.kill();
    const startMs = performance.now();
    const outcomes = await Promise.all([0, 1, 2].map((index) => session.infer(frameOf(index))));
    expect(performance.now() - startMs).toBeLessThan(2500);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed', code: 'LINK_LOST' });
    await close();
  });
});
