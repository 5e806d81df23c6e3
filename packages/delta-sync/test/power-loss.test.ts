// The power fails at every operation of installation, switch and roll-back: the old or the new release runs, never neither.
import { expect, test } from 'vitest';
import { powerLossWorld, runPowerLoss } from './support/power-loss-run.ts';

test('every operation is cut twice; no state is bad, and every cut is recovered from', async () => {
  const report = await runPowerLoss(await powerLossWorld(), 2);
  expect(report.bad).toEqual([]);
  expect(report.operations).toBeGreaterThan(70);
  expect(report.cuts).toBeGreaterThan(2 * report.operations - 20);
}, 120_000);
