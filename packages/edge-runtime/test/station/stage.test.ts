// A stage: bounded in what waits and in what is worked on, in order, and honest about what it gives up.
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/pipeline/gate.ts';
import { InOrder } from '../../src/pipeline/in-order.ts';
import { Stage, type StageOptions } from '../../src/pipeline/stage.ts';
import { InferLimit } from '../../src/station/infer-limit.ts';
import { settle } from '../support/fake-clock.ts';

function staged(options: Partial<StageOptions> = {}) {
  const begun: number[] = [];
  const dropped: number[] = [];
  const finish = new Map<number, () => void>();
  const stage = new Stage<number>(
    { name: 'test', queue: 2, workers: 1, policy: 'never-drop', ...options },
    {
      work: (item) => {
        begun.push(item);
        return new Promise((resolve) => {
          finish.set(item, resolve);
        });
      },
      onDropped: async (item) => void dropped.push(item),
    },
  );
  const accepted: number[] = [];
  const push = (item: number): void => void stage.push(item).then(() => accepted.push(item));
  return { stage, begun, dropped, accepted, push, done: (item: number) => finish.get(item)?.() };
}

describe('a stage', () => {
  it('holds back who pushes when its queue is full', async () => {
    const { stage, begun, accepted, push, done } = staged();
    for (let item = 0; item < 6; item++) push(item);
    await settle();
    expect([begun, accepted]).toEqual([[0], [0, 1, 2]]);
    expect(stage.counters).toEqual({ in: 3, out: 0, dropped: 0, waiting: 2, working: 1 });
    done(0);
    await settle();
    expect([begun, accepted]).toEqual([
      [0, 1],
      [0, 1, 2, 3],
    ]);
  });

  it('gives up what has waited longest where the latest wins', async () => {
    const { stage, begun, dropped, accepted, push } = staged({ policy: 'latest-wins' });
    for (let item = 0; item < 6; item++) push(item);
    await settle();
    expect([begun, dropped]).toEqual([[0], [1, 2, 3]]);
    expect(accepted.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(stage.counters).toMatchObject({ in: 6, dropped: 3, waiting: 2 });
  });

  it('begins nothing while it is paused, and loses nothing', async () => {
    const { stage, begun, push, done } = staged({ workers: 2 });
    push(0);
    stage.pause();
    push(1);
    push(2);
    await settle();
    done(0);
    await settle();
    expect(begun).toEqual([0]);
    stage.resume();
    await settle();
    expect(begun).toEqual([0, 1, 2]);
  });

  it('works without a queue', async () => {
    const { accepted, push, done, stage } = staged({ queue: 0, workers: 2 });
    for (let item = 0; item < 4; item++) push(item);
    await settle();
    expect(accepted).toEqual([0, 1]);
    done(0);
    await settle();
    expect(accepted).toEqual([0, 1, 2]);
    expect(stage.counters.waiting).toBe(0);
  });

  it('says when it is idle', async () => {
    const { stage, push, done } = staged();
    await stage.idle();
    push(0);
    push(1);
    let idle = false;
    void stage.idle().then(() => {
      idle = true;
    });
    await settle();
    done(0);
    await settle();
    expect(idle).toBe(false);
    done(1);
    await settle();
    expect(idle).toBe(true);
  });
});

describe('frames under way', () => {
  const wait = (share: number) => ({ queueMs: share * 100, totalMs: 100, isMissed: false });
  const missed = (totalMs: number) => ({ queueMs: 0, totalMs, isMissed: true });

  it('grow while frames hardly wait, and are halved when they mostly do', () => {
    const limit = new InferLimit(8);
    expect(limit.value).toBe(2);
    for (let frame = 0; frame < 20; frame++) limit.see(wait(0.1));
    expect(limit.value).toBe(8);
    limit.see(wait(0.3));
    expect(limit.value).toBe(8);
    // Those that were under way have waited too: once is enough for them.
    for (let frame = 0; frame < 8; frame++) limit.see(wait(0.9));
    expect(limit.value).toBe(4);
    for (let frame = 0; frame < 20; frame++) limit.see(wait(0.9));
    expect(limit.value).toBe(1);
  });

  it('grow where frames had too little time left in the session to be answered', () => {
    const limit = new InferLimit(8);
    limit.see(wait(0.3));
    for (let frame = 0; frame < 30; frame++) limit.see(missed(80));
    expect(limit.value).toBeGreaterThan(4);
  });

  it('shrink where frames had far more time than answers take, and each number is tried where none is known to do', () => {
    const limit = new InferLimit(4);
    for (let frame = 0; frame < 8; frame++) limit.see(wait(0));
    expect(limit.value).toBe(4);
    for (let frame = 0; frame < 4; frame++) limit.see(missed(1000));
    expect(limit.value).toBe(2);
    const tried = new Set<number>();
    for (let frame = 0; frame < 40; frame++) {
      limit.see(missed(1000));
      tried.add(limit.value);
    }
    expect(tried).toEqual(new Set([1, 2, 3, 4]));
  });

  it('never exceed what may be', () => {
    const limit = new InferLimit(1);
    for (let frame = 0; frame < 5; frame++) limit.see(wait(0));
    expect(limit.value).toBe(1);
  });

  it('change the number of workers of a stage at once', async () => {
    const { stage, begun, push, done } = staged({ workers: 3, queue: 9 });
    stage.setWorkers(1);
    for (let item = 0; item < 4; item++) push(item);
    await settle();
    expect(begun).toEqual([0]);
    stage.setWorkers(9);
    await settle();
    expect(begun).toEqual([0, 1, 2]);
    stage.setWorkers(1);
    done(0);
    await settle();
    expect(begun).toEqual([0, 1, 2]);
  });
});

describe('order and places', () => {
  it('puts items into the order of their numbers', () => {
    const out: string[] = [];
    const order = new InOrder<string>((item) => out.push(item));
    order.put(2, 'c');
    order.put(0, 'a');
    expect([out, order.held]).toEqual([['a'], 1]);
    order.put(1, 'b');
    expect([out, order.held]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('lets in as many as there are places, in the order of asking', async () => {
    const gate = new Gate(2);
    const inside: number[] = [];
    for (let guest = 0; guest < 4; guest++) void gate.enter().then(() => inside.push(guest));
    await settle();
    expect(inside).toEqual([0, 1]);
    gate.leave();
    await settle();
    expect(inside).toEqual([0, 1, 2]);
  });
});
