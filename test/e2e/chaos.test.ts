// `npm run chaos` in short: real gateways, workers, edges and a network of ours that goes wrong; every promise is kept.
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/run-chaos.ts';

test('two replicas, two edges and a station under faults lose, double and mix up nothing', async () => {
  const report = await runChaos({
    faults: 15,
    edges: 2,
    stations: 1,
    seed: 7,
    gapMs: 150,
    longestMs: 1230,
    calmMs: 300,
    log: () => {},
  });
  expect(report.violations).toEqual([]);
  expect([...report.faults.values()].reduce((sum, count) => sum + count, 0)).toBe(15);
  expect(report.faults.size).toBeGreaterThan(5);
  expect(report.frames.cloud).toBeGreaterThan(20);
  expect(report.parts).toBeGreaterThan(20);
});
