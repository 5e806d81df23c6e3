import { describe, expect, it } from 'vitest';
import { BatchProofs } from '../src/models/batch-proofs.ts';
import { FairQueue } from '../src/models/fair-queue.ts';
import { type FrameTask, levelOf } from '../src/models/frame-task.ts';
import { GrowthWatch } from '../src/models/growth-watch.ts';
import { ServiceTime } from '../src/models/service-time.ts';
import { StackPlanner } from '../src/models/stack-plan.ts';

const names = new Map<FrameTask, string>();

function frame(owner: object, name: string, more: Partial<FrameTask> = {}): FrameTask {
  const made: FrameTask = {
    owner,
    entry: 0,
    tensors: [],
    bytes: 0,
    receivedAtMs: 0,
    deadlineAtMs: 1e9,
    level: 3,
    trace: null,
    shapeClass: 's',
    rows: 1,
    losslessAnswer: false,
    losses: 0,
    alone: false,
    settle: () => {},
    ...more,
  };
  names.set(made, name);
  return made;
}

const queueOf = (maxRows: number, maxDelayMs = 0, mayStack = true): FairQueue =>
  new FairQueue({ maxRows, maxDelayMs, patienceMs: 1000, runMs: () => 10, rowLimit: () => (mayStack ? 1000 : 1) });

function take(queue: FairQueue, nowMs = 0): string {
  const next = queue.next(nowMs);
  return next.kind === 'run' ? next.frames.map((one) => names.get(one)).join(' ') : next.kind;
}

const a = { id: 'a' };
const b = { id: 'b' };
const c = { id: 'c' };

describe('the queue', () => {
  it('gives owners their turns', () => {
    const queue = queueOf(1);
    for (const [owner, name] of [
      [a, 'a1'],
      [a, 'a2'],
      [a, 'a3'],
      [b, 'b1'],
      [c, 'c1'],
      [b, 'b2'],
    ] as const)
      queue.push(frame(owner, name));
    expect(Array.from({ length: 7 }, () => take(queue))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'empty']);
  });

  it('stacks one frame of each owner a round, and counts rows', () => {
    const queue = queueOf(4);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) queue.push(frame(a, name));
    queue.push(frame(b, 'b1'));
    queue.push(frame(c, 'c1', { rows: 3 }));
    expect(take(queue)).toBe('a1 b1');
    expect(take(queue)).toBe('c1 a2');
    expect(take(queue)).toBe('a3 a4 a5');
    expect(queue.size).toBe(0);
  });

  it('gives a worker that is busy only what is full and may have company', () => {
    const queue = queueOf(2);
    queue.push(frame(a, 'a1'));
    expect(queue.next(0, true).kind).toBe('wait');
    queue.push(frame(b, 'b1'));
    expect(queue.next(0, true)).toMatchObject({ kind: 'run', full: true });
    queue.pushFirst(frame(a, 'a2', { alone: true }));
    expect(queue.next(0, true)).toEqual({ kind: 'wait', untilMs: Number.POSITIVE_INFINITY });
    expect(take(queue)).toBe('a2');
  });

  it('stacks only equal shapes, and keeps the order within an owner', () => {
    const queue = queueOf(8);
    queue.push(frame(a, 'a1'));
    queue.push(frame(b, 'b1', { shapeClass: 't' }));
    queue.push(frame(b, 'b2'));
    queue.push(frame(c, 'c1'));
    expect(take(queue)).toBe('a1 c1');
    expect(take(queue)).toBe('b1');
    expect(take(queue)).toBe('b2');
  });

  it('stays within what has been proven, and lets two frames be tried whatever their rows', () => {
    const queue = new FairQueue({ maxRows: 16, maxDelayMs: 0, patienceMs: 1000, runMs: () => 10, rowLimit: () => 2 });
    for (const name of ['a1', 'a2', 'a3']) queue.push(frame(a, name));
    for (const name of ['b1', 'b2', 'b3']) queue.push(frame(b, name, { rows: 3 }));
    expect(take(queue)).toBe('a1');
    expect(take(queue)).toBe('b1 a2');
    expect(take(queue)).toBe('b2 a3');
    expect(take(queue)).toBe('b3');
  });

  it('never stacks what may not be', () => {
    const refused = queueOf(8, 0, false);
    refused.push(frame(a, 'a1'));
    refused.push(frame(b, 'b1'));
    expect([take(refused), take(refused)]).toEqual(['a1', 'b1']);
    const queue = queueOf(8);
    queue.push(frame(a, 'a1', { alone: true }));
    queue.push(frame(b, 'b1', { shapeClass: null }));
    queue.push(frame(c, 'c1'));
    expect([take(queue), take(queue), take(queue)]).toEqual(['a1', 'b1', 'c1']);
  });

  it('runs a frame larger than a batch by itself', () => {
    const queue = queueOf(4);
    queue.push(frame(a, 'a1', { rows: 9 }));
    queue.push(frame(b, 'b1'));
    expect([take(queue), take(queue)]).toEqual(['a1', 'b1']);
  });

  it('never lets a lonely frame wait, and waits for company that was there before, up to the delay', () => {
    const queue = queueOf(4, 5);
    queue.push(frame(a, 'a1', { receivedAtMs: 10 }));
    expect(take(queue, 10)).toBe('a1');
    for (const owner of [a, b, c]) queue.push(frame(owner, 'x', { receivedAtMs: 20 }));
    expect(take(queue, 20)).toBe('x x x');
    queue.push(frame(a, 'a2', { receivedAtMs: 30 }));
    expect(queue.next(30)).toEqual({ kind: 'wait', untilMs: 35 });
    queue.push(frame(b, 'b2', { receivedAtMs: 31 }));
    expect(take(queue, 31)).toBe('wait');
    queue.push(frame(c, 'c2', { receivedAtMs: 32 }));
    expect(take(queue, 32)).toBe('a2 b2 c2');
    queue.push(frame(a, 'a3', { receivedAtMs: 40 }));
    expect(take(queue, 44)).toBe('wait');
    expect(take(queue, 45)).toBe('a3');
    queue.push(frame(a, 'a4', { receivedAtMs: 50 }));
    expect(take(queue, 50)).toBe('a4');
  });

  it('hands ahead only what cannot grow', () => {
    const queue = queueOf(2);
    queue.push(frame(a, 'a1'));
    expect(queue.next(0, true).kind).toBe('wait');
    queue.push(frame(b, 'b1'));
    expect(queue.next(0, true)).toMatchObject({ kind: 'run', full: true });
  });

  it('forgets what is removed', () => {
    const queue = queueOf(2);
    const one = frame(a, 'a1');
    queue.push(one);
    expect([queue.remove(one), queue.remove(one), queue.size, take(queue)]).toEqual([true, false, 0, 'empty']);
  });
});

describe('urgency', () => {
  it('is by level first, then by the earliest deadline', () => {
    const queue = queueOf(1);
    queue.push(frame(a, 'late', { deadlineAtMs: 900 }));
    queue.push(frame(b, 'soon', { deadlineAtMs: 100 }));
    queue.push(frame(c, 'urgent', { deadlineAtMs: 5000, level: 1 }));
    expect([take(queue), take(queue), take(queue)]).toEqual(['urgent', 'soon', 'late']);
  });

  it('lets frames of other levels and deadlines ride in a batch that has room', () => {
    const queue = queueOf(3);
    queue.push(frame(a, 'low', { level: 5 }));
    queue.push(frame(b, 'late', { deadlineAtMs: 900 }));
    queue.push(frame(c, 'soon', { deadlineAtMs: 100 }));
    expect(take(queue)).toBe('soon late low');
  });

  it('ends waiting for ever: a deadline far away counts as the end of patience', () => {
    const queue = queueOf(1);
    queue.push(frame(a, 'patient', { receivedAtMs: 0, deadlineAtMs: 1e6 }));
    for (const at of [500, 900, 1100]) queue.push(frame(b, `b${at}`, { receivedAtMs: at, deadlineAtMs: at + 50 }));
    // b900 is due at 950, and by one turn of its owner later; b1100 is due after the end of patience.
    expect([take(queue), take(queue), take(queue), take(queue)]).toEqual(['b500', 'b900', 'patient', 'b1100']);
  });

  it('gives one run in four to a lower level that has lost its patience', () => {
    const queue = queueOf(1);
    queue.push(frame(a, 'low', { level: 5, receivedAtMs: 0 }));
    for (let count = 0; count < 6; count++) queue.push(frame(b, 'high', { level: 1, receivedAtMs: 2000 }));
    expect(Array.from({ length: 7 }, () => take(queue, 2000))).toEqual([
      'high',
      'high',
      'high',
      'low',
      'high',
      'high',
      'high',
    ]);
  });

  it('counts the rows that would go first', () => {
    const queue = queueOf(8);
    queue.push(frame(a, 'a1', { rows: 2, deadlineAtMs: 500 }));
    queue.push(frame(b, 'b1', { rows: 3, level: 1 }));
    queue.push(frame(b, 'b2', { rows: 4, level: 5 }));
    expect(queue.rowsBefore(frame(c, 'c', { deadlineAtMs: 400 }))).toBe(3);
    expect(queue.rowsBefore(frame(c, 'c', { deadlineAtMs: 600 }))).toBe(5);
    expect(queue.rowsBefore(frame(c, 'c', { deadlineAtMs: 600, level: 1 }))).toBe(0);
  });

  it('of a number that is not a level is the default', () => {
    const levels = { priorityLevels: 5, defaultPriority: 3, patienceMs: 1, admission: true };
    expect([0, 1, 5, 6].map((priority) => levelOf(priority, levels))).toEqual([3, 1, 5, 3]);
  });
});

describe('what is measured', () => {
  it('of runs tells when a frame would be answered', () => {
    let nowMs = 0;
    const service = new ServiceTime({ nowMs: () => nowMs, after: () => () => {} });
    expect(service.answerMs({ running: 0, waiting: 4, own: 1, workers: 1 })).toBeNull();
    nowMs = 40;
    service.ended(0, 4, 1);
    expect(service.answerMs({ running: 2, waiting: 4, own: 1, workers: 1 })).toBe(60);
    expect(service.answerMs({ running: 2, waiting: 4, own: 1, workers: 2 })).toBe(35);
    // The next one was handed over before the first had ended: only its own time counts.
    nowMs = 50;
    service.ended(5, 1, 1);
    expect(service.runMs).toBeCloseTo(34);
  });

  it('of memory tells when a worker has grown too much', () => {
    const MIB = 1024 * 1024;
    const grown = new GrowthWatch({ maxWorkerRssBytes: 0, maxWorkerGrowth: 1 });
    for (const mib of [100, 200, 180, 190, 200]) expect(grown.sample(mib * MIB)).toBeNull();
    expect(grown.sample(390 * MIB)).toBeNull();
    expect(grown.sample(410 * MIB)).toContain('grew');
    const bounded = new GrowthWatch({ maxWorkerRssBytes: 300 * MIB, maxWorkerGrowth: 0 });
    expect(bounded.sample(299 * MIB)).toBeNull();
    expect(bounded.sample(301 * MIB)).toContain('more than it may');
    const small = new GrowthWatch({ maxWorkerRssBytes: 0, maxWorkerGrowth: 0.1 });
    for (let count = 0; count < 5; count++) small.sample(50 * MIB);
    expect(small.sample(100 * MIB)).toBeNull();
  });
});

describe('proofs', () => {
  const gain = { agrees: true, singleMs: 10, stackedMs: 6 };
  const noGain = { agrees: true, singleMs: 10, stackedMs: 9.9 };
  const differs = { agrees: false, singleMs: 10, stackedMs: 10 };
  const proves = { agrees: null, singleMs: 10, stackedMs: 10 };

  function proofsAt(): { proofs: BatchProofs; pass: (ms: number) => void } {
    let nowMs = 1000;
    const clock = { nowMs: () => nowMs, after: () => () => {} };
    return {
      proofs: new BatchProofs({ recheckEvery: 2, maxTimeShare: 0.95 }, clock),
      pass: (ms) => void (nowMs += ms),
    };
  }

  it('are asked for each count of rows, again after a while, and end with the first disagreement', () => {
    const { proofs, pass } = proofsAt();
    expect(proofs.standingOf('s', 4)).toBe('unknown');
    proofs.record('s', 4, gain);
    pass(60);
    const standings = [1, 2, 3].map(() => {
      const standing = proofs.standingOf('s', 4);
      proofs.used('s', 4);
      return standing;
    });
    expect(standings).toEqual(['proven', 'proven', 'due']);
    expect(proofs.standingOf('s', 3)).toBe('unknown');
    expect(proofs.rowLimit('s')).toBe(8);
    expect(proofs.record('s', 3, differs)).toBe(true);
    expect(proofs.record('s', 3, differs)).toBe(false);
    expect(proofs.rowLimit('s')).toBe(1);
    expect(proofs.rowLimit('t')).toBe(2);
  });

  it('rest after a trial, ten times as long as it took, while what is proven is used', () => {
    const { proofs, pass } = proofsAt();
    proofs.record('s', 2, gain);
    pass(59);
    expect(proofs.rowLimit('s')).toBe(2);
    expect(proofs.standingOf('s', 2)).toBe('proven');
    expect(proofs.standingOf('s', 4)).toBe('resting');
    pass(1);
    expect(proofs.rowLimit('s')).toBe(4);
    expect(proofs.standingOf('s', 4)).toBe('unknown');
    proofs.record('s', 4, proves);
    pass(900);
    expect(proofs.rowLimit('s')).toBe(2);
    for (let batch = 0; batch < 3; batch++) proofs.used('s', 2);
    expect(proofs.standingOf('s', 2)).toBe('proven');
    pass(100);
    expect(proofs.standingOf('s', 2)).toBe('due');
  });

  it('are checked again after twice as many batches each time', () => {
    const { proofs, pass } = proofsAt();
    const between = Array.from({ length: 7 }, () => {
      proofs.record('s', 2, gain);
      pass(60);
      let batches = 0;
      for (; proofs.standingOf('s', 2) === 'proven'; batches++) proofs.used('s', 2);
      return batches;
    });
    expect(between).toEqual([2, 4, 8, 16, 32, 32, 32]);
    for (let trial = 0; trial < 2; trial++) proofs.record('s', 2, trial === 0 ? noGain : gain);
    pass(100);
    for (let batch = 0; batch < 2; batch++) proofs.used('s', 2);
    expect(proofs.standingOf('s', 2)).toBe('due');
  });

  it('leave frames alone for a while when batches gain nothing', () => {
    const { proofs, pass } = proofsAt();
    for (const rows of [2, 3]) expect(proofs.record('s', rows, noGain)).toBe(false);
    pass(100);
    expect(proofs.rowLimit('s')).toBe(2);
    proofs.record('s', 2, noGain);
    expect(proofs.rowLimit('s')).toBe(1);
    pass(60_000);
    expect(proofs.rowLimit('s')).toBe(2);
    expect(proofs.standingOf('s', 2)).toBe('unknown');
  });

  it('are not repeated at once on frames that are all alike', () => {
    const { proofs, pass } = proofsAt();
    expect(proofs.record('s', 4, proves)).toBe(false);
    expect(proofs.rowLimit('s')).toBe(1);
    pass(1000);
    expect(proofs.rowLimit('s')).toBe(2);
    expect(proofs.standingOf('s', 4)).toBe('unknown');
  });
});

describe('stacks of a chain', () => {
  const gain = { agrees: true, singleMs: 10, stackedMs: 1 };
  const clock = { nowMs: () => 0, after: () => () => {} };

  function planner(stackable: boolean[]): StackPlanner {
    return new StackPlanner(stackable, 16, new BatchProofs({ recheckEvery: 100, maxTimeShare: 0.95 }, clock));
  }
  const entering = (...entries: number[]): FrameTask[] => entries.map((entry) => frame(a, 'f', { entry }));

  it('are tried one segment after the other, the last first, and then used together', () => {
    const plans = planner([true, true]);
    const frames = entering(0, 0);
    const first = plans.plan(frames);
    expect(first).toEqual({ mode: 'trial', stacks: [[], [[0, 1]]], trial: expect.objectContaining({ segment: 1 }) });
    plans.record(frames, first, gain);
    const second = plans.plan(frames);
    expect(second).toMatchObject({ mode: 'trial', stacks: [[[0, 1]], [[0, 1]]], trial: { segment: 0 } });
    plans.record(frames, second, gain);
    expect(plans.plan(frames)).toEqual({ mode: 'batch', stacks: [[[0, 1]], [[0, 1]]], trial: null });
  });

  it('meet where frames of different cuts share a segment', () => {
    const plans = planner([true, true, true]);
    const frames = entering(0, 2);
    const first = plans.plan(frames);
    expect(first).toMatchObject({ mode: 'trial', stacks: [[], [], [[0, 1]]] });
    plans.record(frames, first, gain);
    expect(plans.plan(frames)).toEqual({ mode: 'batch', stacks: [[], [], [[0, 1]]], trial: null });
    expect(plans.plan(entering(0, 1))).toMatchObject({ mode: 'trial', stacks: [[], [[0, 1]], [[0, 1]]] });
  });

  it('leave out a segment that cannot be stacked, and all of them after one disagreed', () => {
    const plans = planner([true, false, true]);
    const frames = entering(0, 0);
    const first = plans.plan(frames);
    expect(first.stacks).toEqual([[], [], [[0, 1]]]);
    plans.record(frames, first, gain);
    const second = plans.plan(frames);
    expect(second).toMatchObject({ stacks: [[[0, 1]], [], [[0, 1]]], trial: { segment: 0 } });
    expect(plans.record(frames, second, { ...gain, agrees: false })).toBe(true);
    expect(plans.plan(frames).mode).toBe('single');
  });
});
