// The power fails at every operation of installation, switch and roll-back: the old or the new release runs, never neither.
import { seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { deviceDiskSuite } from '../../../test/conformance/device-disk.ts';
import { PowerSupply } from './support/power-loss-disk.ts';
import { powerLossWorld, runPowerLoss } from './support/power-loss-run.ts';

test('every operation is cut twice; no state is bad, and every cut is recovered from', async () => {
  const report = await runPowerLoss(await powerLossWorld(), 2);
  expect(report.bad).toEqual([]);
  expect(report.operations).toBeGreaterThan(70);
  expect(report.cuts).toBeGreaterThan(2 * report.operations - 20);
}, 120_000);

deviceDiskSuite('a simulation that loses its power', () => {
  const supply = new PowerSupply(seededRandom(3));
  const { state } = supply.storage();
  const reopen = async (): Promise<typeof state> => {
    supply.restore();
    return state;
  };
  return { open: async () => state, reopen, remove: async () => {} };
});
