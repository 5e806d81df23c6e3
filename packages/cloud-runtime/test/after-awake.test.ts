// Time limits across a pause of the process that sets them.
import type { Clock } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { afterAwake } from '../src/worker/after-awake.ts';

function stoppable() {
  let nowMs = 0;
  let timers: { dueMs: number; task: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, task) {
      const timer = { dueMs: nowMs + delayMs, task };
      timers.push(timer);
      return () => (timers = timers.filter((other) => other !== timer));
    },
  };
  /** All of it passes before a timer can run, as when a process is stopped. */
  const pass = (ms: number): void => {
    nowMs += ms;
    const due = timers.filter(({ dueMs }) => dueMs <= nowMs);
    timers = timers.filter(({ dueMs }) => dueMs > nowMs);
    for (const { task } of due) task();
  };
  return { clock, pass, waiting: () => timers.length };
}

test('a limit passes when it is over, and begins anew for who was stopped itself', () => {
  const { clock, pass } = stoppable();
  const over: string[] = [];
  afterAwake(clock, 30_000, () => over.push('plain'));
  pass(29_000);
  expect(over).toEqual([]);
  pass(1_400);
  expect(over).toEqual(['plain']);
  afterAwake(clock, 30_000, () => over.push('stopped'));
  pass(60_000);
  pass(29_000);
  expect(over).toEqual(['plain']);
  pass(1_000);
  expect(over).toEqual(['plain', 'stopped']);
});

test('one that is called off after a pause stays off', () => {
  const { clock, pass, waiting } = stoppable();
  const cancel = afterAwake(clock, 1_000, () => expect.unreachable());
  pass(5_000);
  cancel();
  pass(5_000);
  expect(waiting()).toBe(0);
});
