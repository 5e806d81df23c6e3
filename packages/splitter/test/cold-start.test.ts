// What a pause between frames costs: against times of a real TCP (Linux, cubic) over an emulated link of packets.
import { expect, test } from 'vitest';
import { plan, predict, statedLink } from '../src/index.ts';
import { coldStartMs } from '../src/plan/cold-start.ts';
import { diamond, graphOf } from './models.ts';
import { device } from './plan-models.ts';

/**
 * Medians of eight, an exchange of so many bytes against a short answer at 12 Mbit/s and 90 ms, after pauses of half a second and of
 * one: Linux 6.18, cubic, a TUN device that holds packets back.
 */
const MEASURED = [
  { bytes: 4_000, idleMs: 590, tookMs: 96 },
  { bytes: 15_000, idleMs: 590, tookMs: 188 },
  { bytes: 30_000, idleMs: 590, tookMs: 199 },
  { bytes: 100_000, idleMs: 590, tookMs: 209 },
  { bytes: 4_000, idleMs: 1_090, tookMs: 97 },
  { bytes: 15_000, idleMs: 1_090, tookMs: 188 },
  { bytes: 30_000, idleMs: 1_090, tookMs: 200 },
  { bytes: 100_000, idleMs: 1_090, tookMs: 324 },
  { bytes: 220_000, idleMs: 1_090, tookMs: 469 },
] as const;

const RATE = { bitsPerSecond: 12e6, roundTripMs: 90 } as const;

test.each(MEASURED)('$bytes bytes after $idleMs ms took $tookMs ms', ({ bytes, idleMs, tookMs }) => {
  const steadyMs = (bytes * 8000) / RATE.bitsPerSecond + RATE.roundTripMs;
  const predictedMs = steadyMs + coldStartMs({ ...RATE, bytes, idleMs });
  expect(Math.abs(predictedMs / tookMs - 1)).toBeLessThan(0.15);
});

test('a connection that does not rest, a short link and a slow one cost nothing', () => {
  expect(coldStartMs({ ...RATE, bytes: 1e6, idleMs: 289 })).toBe(0);
  expect(coldStartMs({ bytes: 1e6, bitsPerSecond: 1e9, roundTripMs: 0, idleMs: 5000 })).toBe(0);
  // 14,480 bytes take 58 ms there: the first acknowledgement is back before they have left.
  expect(coldStartMs({ bytes: 1e6, bitsPerSecond: 2e6, roundTripMs: 15, idleMs: 5000 })).toBe(0);
  expect(coldStartMs({ ...RATE, bytes: 100_000, idleMs: 1e9 })).toBeGreaterThan(150);
});

test('with frames apart, the placement that fits the first window takes over', () => {
  const graph = graphOf(diamond);
  const values = Object.entries({ x: 200_000, a: 80_000, b: 12_000, c: 40_000, d: 40_000, e: 40_000, y: 100 }).map(
    ([name, bytes]) => ({ name, dtype: 'float32' as const, shape: [bytes / 4], bytes }),
  );
  const edge = device(graph, { ms: [40, 60, 200, 200, 200, 200], values });
  const cloud = device(graph, { ms: [1, 1, 2, 2, 2, 2], values });
  const link = statedLink({ uplinkBitsPerSecond: 50e6, roundTripMs: 100 });
  const placed = (frameIntervalMs?: number) => {
    const paced = frameIntervalMs === undefined ? link : { ...link, frameIntervalMs };
    const found = plan(graph, { edge, cloud, link: paced });
    if (found.outcome !== 'planned') throw new Error('conflict');
    const { candidate, prediction } = found.choice;
    expect(prediction).toEqual(predict(candidate, paced, 0));
    // What would change it is priced by the same rule.
    for (const { parameter, value, becomes } of found.changes) {
      const there = { ...paced, [parameter]: value };
      if (becomes === null) throw new Error('nothing keeps no limits');
      expect(predict(becomes, there, 0).latencyMs).toBeLessThan(predict(candidate, there, 0).latencyMs);
    }
    return [candidate.placement, ...candidate.crossing.map(({ name }) => name)].join(' ');
  };
  // 32 ms on the wire: less than the 100 ms that the edge needs to make b.
  expect(placed()).toBe('cloud x');
  // Four windows: some 300 ms more.
  expect(placed(2000)).toBe('split b');
  expect(placed(250)).toBe('cloud x');
});
