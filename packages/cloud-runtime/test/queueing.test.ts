// Real sockets and workers: which frames go first, which are refused early, and workers that are warm or have grown.
import { describe, expect, it } from 'vitest';
import { payload } from './support/client.ts';
import { opened, serveModels } from './support/cloud.ts';
import { floats, rowsModel, slowModel, temporaryFolder, writeModel } from './support/models.ts';

const big = payload(
  'x',
  floats([1024, 1024], (i) => i % 7),
);

describe('the queue', () => {
  it('answers urgent frames before others that came earlier', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'slow', slowModel(4));
    const edge = await opened(await serveModels(dir, { queue: { admission: false } }), 'slow');
    const frame = (number: number, priority: number): void =>
      edge.send({
        type: 'frame',
        session: 1,
        frame: number,
        deadlineMs: 60_000,
        trace: null,
        priority,
        tensors: [big],
      });
    for (const number of [1, 2, 3, 4]) frame(number, 0);
    frame(5, 1);
    await edge.until(() => edge.all('result').length === 5, 60_000);
    const order = edge.all('result').map((result) => result.frame);
    // What a worker has been given already is not taken back.
    expect(order.indexOf(5)).toBeLessThan(order.indexOf(4));
    expect(order.indexOf(5)).toBeLessThan(order.indexOf(3));
  });

  it('refuses a frame at once that would be answered too late, and says when to come again', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'slow', slowModel(12));
    const edge = await opened(await serveModels(dir), 'slow');
    edge.frame(1, [big], { deadlineMs: 60_000 });
    const { spans } = await edge.result(1, 60_000);
    for (const frame of [2, 3, 4]) edge.frame(frame, [big], { deadlineMs: 60_000 });
    edge.frame(5, [big], { deadlineMs: Math.max(20, spans.totalMs) });
    const answer = await edge.answer(5, 60_000);
    expect(answer).toMatchObject({ type: 'fault', code: 'OVERLOADED' });
    expect(answer.type === 'fault' ? answer.retryAfterMs : null).toBeGreaterThan(0);
    // It did not wait for those before it.
    expect(edge.answersOf(4)).toEqual([]);
    for (const frame of [2, 3, 4]) await edge.result(frame, 60_000);
    edge.frame(6, [big], { deadlineMs: 60_000 });
    await edge.result(6, 60_000);
  });
});

describe('workers', () => {
  it('have run every batch size before they are ready', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    writeModel(dir, 'fixed', slowModel(1));
    const cloud = await serveModels(dir, { preload: ['rows', 'fixed'], batching: { maxRows: 8 } });
    const runsOf = (model: string): unknown =>
      cloud.events.find((event) => event.event === 'worker-ready' && event['model'] === model)?.['warmUpRuns'];
    // Powers of two on the CPU provider; one size where the model leaves none open.
    expect([runsOf('rows'), runsOf('fixed')]).toEqual([4, 1]);
    // Preloaded models warm up side by side.
    const steps = cloud.events.flatMap(({ event }) => (/^model-(loading|ready)$/.test(event) ? [event] : []));
    expect(steps).toEqual(['model-loading', 'model-loading', 'model-ready', 'model-ready']);
    const cold = await serveModels(dir, { preload: ['rows'], limits: { warmUpMs: 0 } });
    expect(cold.events.find(({ event }) => event === 'worker-ready')).toMatchObject({ warmUpRuns: 0 });
  });

  it('that hold more memory than they may are replaced without a frame lost', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir, { limits: { maxWorkerRssBytes: 1024 * 1024 } });
    const edge = await opened(cloud, 'rows');
    const [before] = cloud.workerPids;
    const x = payload(
      'x',
      floats([1, 64], (i) => i),
    );
    let frame = 0;
    const isRecycled = (): boolean => cloud.events.some(({ event }) => event === 'worker-recycled');
    for (const endMs = Date.now() + 30_000; !isRecycled() && Date.now() < endMs; ) {
      edge.frame(++frame, [x]);
      await edge.result(frame);
    }
    expect(cloud.events.find(({ event }) => event === 'worker-recycled')).toMatchObject({ model: 'rows', pid: before });
    for (let more = 0; more < 20; more++) {
      edge.frame(++frame, [x]);
      await edge.result(frame);
    }
    expect(cloud.workerPids).toHaveLength(1);
    expect(cloud.workerPids[0]).not.toBe(before);
    // Not again and again for a model that simply needs more.
    expect(cloud.events.filter(({ event }) => event === 'worker-recycled')).toHaveLength(1);
    expect(cloud.events.filter(({ event }) => event === 'worker-lost')).toEqual([]);
  });
});
