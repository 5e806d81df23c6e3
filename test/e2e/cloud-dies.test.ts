// What takes a cloud or a link away while frames are under way: each frame is answered once, and right, or ends in time.

import { join } from 'node:path';
import process from 'node:process';
import { type CloudProcess, type LinkShaper, startLinkShaper } from '@kerf/cli';
import { EdgeSession, type EdgeSessionOptions, type Outcome } from '@kerf/edge-runtime';
import { openSplitFolder } from '@kerf/edge-runtime/node';
import type { TensorMap } from '@kerf/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isDoubled, rowOf, slowDoubler } from './support/models.ts';
import { openWorkshop, reference, until, type Workshop } from './support/workshop.ts';

/** One frame keeps the cloud busy for some 15 ms. */
const ROW = 256;
const ROWS = 64;
const FRAMES = 64;
const PRODUCTS = 40;

let shop: Workshop;
let cloud: CloudProcess;
let cleanUp: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.split(slowDoubler(ROW, PRODUCTS), ['mid'], 'slow');
  cloud = await shop.serve(0, '--preload', 'slow');
});
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});
afterAll(() => shop?.remove());

async function openSession(
  options: Partial<EdgeSessionOptions>,
  { withTail = false, port = cloud.port } = {},
): Promise<EdgeSession> {
  const opened = await openSplitFolder(join(shop.models, 'slow'), { backend: reference, withTail });
  const session = await EdgeSession.open({
    ...opened,
    cloud: await shop.target('slow', port),
    options: { backoffBaseMs: 50, backoffMaxMs: 500, maxQueuedFrames: 1000, deadlineMs: 90_000, ...options },
  });
  cleanUp.push(() => opened.dispose());
  cleanUp.push(() => session.close());
  expect(await session.waitForCloud(30_000)).toEqual({ connected: true });
  return session;
}

const inputsOf = (index: number, rows = ROWS): TensorMap => new Map([['x', rowOf(index, ROW, rows)]]);

/** Starts all frames at once; `answered` counts their ends. */
function start(session: EdgeSession, count: number) {
  const answers = new Map<number, number>();
  const done = Array.from({ length: count }, async (_, index) => {
    const outcome = await session.infer(inputsOf(index));
    answers.set(outcome.frame, (answers.get(outcome.frame) ?? 0) + 1);
    return outcome;
  });
  return {
    get answered(): number {
      return answers.size;
    },
    /** Every outcome, when each frame has had just one. */
    async all(): Promise<Outcome[]> {
      const outcomes = await Promise.all(done);
      expect([...answers.values()]).toEqual(Array(count).fill(1));
      expect(session.snapshot).toMatchObject({ unfinishedFrames: 0 });
      return outcomes;
    },
  };
}

/** What each outcome is, in short, for a message that says which went wrong. */
function summaryOf(outcomes: readonly Outcome[], first = 0): string[] {
  return outcomes.map((outcome, index) => {
    if (outcome.kind === 'failed') return outcome.code;
    return isDoubled(outcome.outputs.get('y'), first + index, ROW) ? outcome.placement : 'wrong numbers';
  });
}

async function restart(): Promise<void> {
  const { port, child } = cloud;
  child.kill('SIGKILL');
  await until(() => child.signalCode !== null, 'the cloud is gone');
  cloud = await shop.serve(port, '--preload', 'slow');
}

describe('the cloud is killed and started again', () => {
  test('a device without the tail waits for it', async () => {
    const session = await openSession({});
    const frames = start(session, FRAMES);
    await until(() => frames.answered >= 10, 'some frames are answered');
    expect(frames.answered).toBeLessThan(FRAMES);
    await restart();
    expect(summaryOf(await frames.all())).toEqual(Array(FRAMES).fill('split'));
  });

  test('a device with the tail does not wait', async () => {
    const session = await openSession({ awayGraceMs: 0 }, { withTail: true });
    const frames = start(session, FRAMES);
    await until(() => frames.answered >= 10, 'some frames are answered');
    await restart();
    const places = summaryOf(await frames.all());
    expect(new Set(places)).toEqual(new Set(['split', 'edge']));
    await until(() => session.snapshot.status.kind === 'connected', 'the session is back');
    expect(summaryOf([await session.infer(inputsOf(0))])).toEqual(['split']);
  });
});

test('the worker is killed: the gateway goes on and every frame is answered', async () => {
  const { child } = cloud;
  const session = await openSession({});
  const frames = start(session, FRAMES);
  await until(() => frames.answered >= 10, 'some frames are answered');
  const ready = cloud.events.filter(({ event }) => event === 'worker-ready');
  const pid = Number(ready.at(-1)?.['pid']);
  expect(pid).toBeGreaterThan(1);
  expect(pid).not.toBe(child.pid);
  process.kill(pid, 'SIGKILL');
  expect(summaryOf(await frames.all())).toEqual(Array(FRAMES).fill('split'));
  await until(() => cloud.events.filter(({ event }) => event === 'worker-ready').length > ready.length, 'a new worker');
  expect(cloud.events.some(({ event, pid: lost }) => event === 'worker-lost' && lost === pid)).toBe(true);
  expect({ exit: child.exitCode, signal: child.signalCode, same: cloud.child === child }).toEqual({
    exit: null,
    signal: null,
    same: true,
  });
  expect(session.snapshot.status.kind).toBe('connected');
});

describe('the link', () => {
  async function openLink(uplinkBitsPerSecond = 1e9): Promise<LinkShaper> {
    const link = await startLinkShaper({
      target: { host: '127.0.0.1', port: cloud.port },
      uplinkBitsPerSecond,
      downlinkBitsPerSecond: 1e9,
      roundTripMs: 10,
    });
    cleanUp.push(() => link.close());
    return link;
  }
  /** A timer may be late on a busy machine, not by this much. */
  const LATE_MS = 5000;

  test.each([
    { title: 'heals by itself', peer: {} },
    { title: 'is given up and made anew', peer: { pingIntervalMs: 200, peerTimeoutMs: 600, connectTimeoutMs: 1000 } },
  ])('a black hole of 2 s ends frames at their deadline, and $title', async ({ peer }) => {
    const link = await openLink();
    const session = await openSession(peer, { port: link.port });
    expect(summaryOf([await session.infer(inputsOf(0))])).toEqual(['split']);
    link.pause();
    const startMs = performance.now();
    const inTheHole = Array.from({ length: 8 }, (_, index) => session.infer(inputsOf(index), { deadlineMs: 1000 }));
    for (const outcome of await Promise.all(inTheHole)) {
      expect(outcome).toMatchObject({ kind: 'failed', code: expect.stringMatching(/^(DEADLINE_EXCEEDED|LINK_LOST)$/) });
      expect(outcome.spans.totalMs).toBeGreaterThan(900);
    }
    expect(performance.now() - startMs).toBeLessThan(1000 + LATE_MS);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, startMs + 2000 - performance.now())));
    link.resume();
    expect(summaryOf(await start(session, 20).all())).toEqual(Array(20).fill('split'));
  });

  test('a black hole is no reason for a device with the tail to be late', async () => {
    const link = await openLink();
    const session = await openSession({}, { withTail: true, port: link.port });
    expect(summaryOf([await session.infer(inputsOf(0))])).toEqual(['split']);
    link.pause();
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, (_, index) => session.infer(inputsOf(index), { deadlineMs: 3000 })),
    );
    expect(summaryOf(outcomes)).toEqual(Array(4).fill('edge'));
    link.resume();
  });

  test('a cut in the middle of a large message costs time and nothing else', async () => {
    const link = await openLink(40e6);
    const session = await openSession({}, { port: link.port });
    const rows = 4096;
    const before = link.bytesUp;
    const frame = session.infer(inputsOf(5, rows));
    await until(() => link.bytesUp - before > (rows * ROW * 4) / 3, 'a third of the message is across');
    link.cut();
    const outcome = await frame;
    expect(summaryOf([outcome], 5)).toEqual(['split']);
    expect(outcome.bytesUp, 'sent twice').toBeGreaterThan(2 * rows * ROW * 4);
  });

  test('one that refuses for a while and then cuts again and again loses no frame', async () => {
    const link = await openLink();
    const session = await openSession({ maxSends: 20 }, { port: link.port });
    const frames = start(session, FRAMES);
    for (let fault = 0; fault < 4; fault++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      link.refuse(true);
      link.cut();
      await new Promise((resolve) => setTimeout(resolve, 40));
      link.refuse(false);
    }
    expect(summaryOf(await frames.all())).toEqual(Array(FRAMES).fill('split'));
  });
});

test('SIGTERM: what is in flight is answered, and the process ends well', async () => {
  const last = await shop.serve(0, '--preload', 'slow', '--drain-seconds', '60');
  const session = await openSession({}, { port: last.port });
  const frames = start(session, 12);
  await until(() => session.snapshot.inFlightFrames + frames.answered === 12, 'all frames are in the cloud');
  const ended = new Promise((resolve) => last.child.once('exit', resolve));
  last.child.kill('SIGTERM');
  expect(summaryOf(await frames.all())).toEqual(Array(12).fill('split'));
  expect(await ended).toBe(0);
  expect(last.events.filter(({ event }) => event === 'cloud-draining')).toHaveLength(1);
});
