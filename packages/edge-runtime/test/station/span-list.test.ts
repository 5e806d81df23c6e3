// The session's account and the cloud's own -> the spans of a frame: nothing twice, nothing lost, each where it was.
import { expect, test } from 'vitest';
import type { FrameSpans } from '../../src/session/outcome.ts';
import { SpanList } from '../../src/station/span-list.ts';

const cloud = { queueMs: 4, decodeMs: 2, computeMs: 11, totalMs: 20, batchRows: 1 };
const spans: FrameSpans = {
  queueMs: 1,
  headMs: 8,
  encodeMs: 3,
  networkMs: 40,
  cloudMs: 20,
  decodeMs: 2,
  localMs: 0,
  totalMs: 74,
  cloud,
  wayDown: { ms: 6, errorMs: 1.5 },
};

function listed(given: FrameSpans, roundTripMs: number | null): (readonly [string, number, number])[] {
  const list = new SpanList(0);
  list.mark('capture', 2);
  list.mark('preprocess', 10);
  list.markSession(given, 10 + given.totalMs, roundTripMs);
  list.mark('postprocess', 10 + given.totalMs + 5);
  const all = list.list();
  const sum = all.reduce((total, { durationMs }) => total + durationMs, 0);
  expect(sum).toBeCloseTo(list.totalMs, 9);
  for (const [at, { startMs, durationMs }] of all.entries()) {
    expect(all[at + 1]?.startMs ?? startMs + durationMs).toBeCloseTo(startMs + durationMs, 9);
  }
  return all.map(({ stage, startMs, durationMs }) => [stage, startMs, durationMs]);
}

test('a frame of the cloud, placed by the offset of the clocks', () => {
  expect(listed(spans, 30)).toEqual([
    ['capture', 0, 2],
    ['preprocess', 2, 8],
    ['queue', 10, 1],
    ['head', 11, 8],
    ['encode', 19, 3],
    ['send', 22, 34],
    ['cloud-queue', 56, 4],
    ['cloud-decode', 60, 2],
    ['tail', 62, 11],
    ['wait', 73, 9],
    ['decode', 82, 2],
    ['postprocess', 84, 5],
  ]);
  const list = new SpanList(0);
  list.markSession(spans, 74, null);
  const marked = list.list().filter(({ errorMs }) => errorMs !== undefined);
  expect(marked.map(({ stage, errorMs }) => [stage, errorMs])).toEqual([
    ['send', 1.5],
    ['wait', 1.5],
  ]);
});

test('without an offset, half a round trip before the answer', () => {
  const found = new Map(listed({ ...spans, wayDown: null }, 10).map(([stage, , ms]) => [stage, ms]));
  expect([found.get('send'), found.get('wait')]).toEqual([35, 3 + 5]);
});

test('a cloud that says more than the time between sending and receiving is believed no further', () => {
  const found = listed({ ...spans, networkMs: 0, cloudMs: 5, totalMs: 19 }, 10);
  expect(found.filter(([stage]) => stage.startsWith('cloud') || stage === 'tail')).toEqual([
    ['cloud-queue', 22, 4],
    ['cloud-decode', 26, 1],
  ]);
});

test('no answer: all of it was waiting', () => {
  const found = listed({ ...spans, cloud: null, cloudMs: 0, wayDown: null, totalMs: 54 }, 10);
  expect(found.map(([stage]) => stage)).not.toContain('send');
  expect(found.find(([stage]) => stage === 'wait')?.[2]).toBe(40);
});
