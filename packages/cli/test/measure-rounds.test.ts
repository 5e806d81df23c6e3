// Measuring in turn, against made-up contenders: the order, what is left out and why, and when a median is clearly lower.
import { KerfError } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { isClearlyFaster } from '../src/measure/correct.ts';
import { measureRounds } from '../src/measure/rounds.ts';

const LIMITS = { frames: 3, warmUpFrames: 1, budgetMs: 1000, hopelessRatio: 2 };

/** A clock that only frames move. */
function track() {
  let now = 0;
  const order: string[] = [];
  const entrant = (name: string, tookMs: number, floorMs = 0) => ({
    floorMs,
    frame: async (): Promise<number> => {
      order.push(name);
      now += tookMs;
      return tookMs;
    },
  });
  return { order, entrant, nowMs: () => now };
}

test('takes contenders in turn and does not count the warm-up', async () => {
  const { order, entrant, nowMs } = track();
  const rows = await measureRounds([entrant('A', 10), entrant('B', 12)], (ms) => ms, { ...LIMITS, nowMs });
  expect(order.join('')).toBe('ABABABAB');
  expect(rows.map(({ frames }) => frames.length)).toEqual([3, 3]);
});

test('does not run what its bytes rule out, and stops what is far behind', async () => {
  const { order, entrant, nowMs } = track();
  const all = [entrant('A', 10), entrant('B', 30), entrant('C', 50, 40)];
  const rows = await measureRounds(all, (ms) => ms, { ...LIMITS, nowMs });
  expect(order).not.toContain('C');
  expect(rows[2]?.note).toMatch(/^cannot be best: its bytes alone take 40 ms, another takes 10 ms/);
  expect(rows[1]).toMatchObject({ frames: [30, 30], note: '2 frames: far behind the best' });
});

test('a contender that fails says why, and the others go on', async () => {
  const { entrant, nowMs } = track();
  const broken = { floorMs: 0, frame: () => Promise.reject(new KerfError('LINK_LOST', 'the link broke')) };
  const rows = await measureRounds([broken, entrant('A', 10)], (ms) => ms, { ...LIMITS, nowMs });
  expect(rows[0]).toEqual({ frames: [], note: 'LINK_LOST: the link broke' });
  expect(rows[1]?.frames).toHaveLength(3);
});

test('ends when the budget is spent, with a frame of each', async () => {
  const { entrant, nowMs } = track();
  const all = [entrant('A', 600), entrant('B', 700)];
  const rows = await measureRounds(all, (ms) => ms, { ...LIMITS, frames: 50, nowMs });
  expect(rows.map(({ frames }) => frames.length)).toEqual([1, 1]);
});

test('tells a lower median from chance', () => {
  const noisy = [41, 30, 55, 43, 38, 60, 35];
  expect(
    isClearlyFaster(
      noisy,
      noisy.map((ms) => ms + 2),
    ),
  ).toBe(false);
  expect(isClearlyFaster([10, 10.1, 9.9, 10, 10.2], [12, 12.1, 11.9, 12, 12.2])).toBe(true);
});
