// A real cloud that is killed, restarted and drained while frames stream: every frame is answered once, and right.
import { EdgeSession, type Outcome } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import type { Backend } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KerfServe } from '../support/kerf-serve.ts';
import { frameOf, isRight, openReluCloud, type ReluCloud } from './support/relu-cloud.ts';
import { pause } from './support/workshop.ts';

const ROW = 4096;
describe('a cloud that comes and goes', () => {
  let shop: ReluCloud;
  let backend: Backend;
  let cloud: KerfServe;

  beforeAll(async () => {
    shop = await openReluCloud();
    backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    cloud = await shop.serve();
  });
  afterAll(async () => {
    await cloud?.stop();
    await backend?.dispose();
    await shop?.remove();
  });

  const openSession = async (withTail: boolean, deadlineMs: number) => {
    const opened = await openSplitFolder(shop.split, { backend, withTail });
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
      outcomes.push(session.infer(frameOf(index, ROW)));
      if (index === Math.floor(count / 3)) struck = accident();
      await pause(10);
    }
    await struck;
    return Promise.all(outcomes);
  };

  const restart = async (): Promise<void> => {
    const { port } = cloud;
    await cloud.kill();
    cloud = await shop.serve(port);
  };

  it('killed and restarted: a device without the tail waits, and has every answer', async () => {
    const { session, close } = await openSession(false, 60_000);
    const outcomes = await stream(session, 90, restart);
    expect(outcomes.map((outcome, index) => isRight(outcome, index, ROW))).toEqual(Array(90).fill(true));
    expect(new Set(outcomes.map(({ frame }) => frame)).size).toBe(90);
    expect(outcomes.every((outcome) => outcome.kind === 'result' && outcome.placement === 'split')).toBe(true);
    await close();
  });

  it('killed and restarted: a device with the tail goes on by itself', async () => {
    const { session, close } = await openSession(true, 60_000);
    const outcomes = await stream(session, 90, restart);
    expect(outcomes.map((outcome, index) => isRight(outcome, index, ROW))).toEqual(Array(90).fill(true));
    const places = new Set(outcomes.map((outcome) => outcome.kind === 'result' && outcome.placement));
    expect(places).toEqual(new Set(['split', 'edge']));
    await close();
  });

  it('drained for an update: no frame is lost, and the old process ends well', async () => {
    const { session, close } = await openSession(false, 60_000);
    const outcomes = await stream(session, 90, async () => {
      const { port } = cloud;
      expect(await cloud.stop()).toBe(0);
      cloud = await shop.serve(port);
    });
    expect(outcomes.map((outcome, index) => isRight(outcome, index, ROW))).toEqual(Array(90).fill(true));
    await close();
  });

  it('gone for good: frames end at their deadline with a code', async () => {
    const { session, close } = await openSession(false, 1500);
    await cloud.kill();
    const startMs = performance.now();
    const outcomes = await Promise.all([0, 1, 2].map((index) => session.infer(frameOf(index, ROW))));
    expect(performance.now() - startMs).toBeLessThan(2500);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed', code: 'LINK_LOST' });
    await close();
  });
});
