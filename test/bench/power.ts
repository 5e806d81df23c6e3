// How many power cuts does a device survive? Every operation of installation, switch and roll-back, until there are 10,000.
import { powerLossWorld, runPowerLoss } from '../../packages/delta-sync/test/support/power-loss-run.ts';
import type { Bench } from './bench.ts';

const CUTS = 10_000;

export const power: Bench = {
  name: 'power',
  summary: 'power cuts at every write, sync, rename and removal of an update; states in which no whole release runs',
  async *run() {
    const world = await powerLossWorld();
    const startedMs = performance.now();
    let [cuts, bad, operations] = [0, 0, 0];
    for (let round = 0; cuts < CUTS; round++) {
      const report = await runPowerLoss(world, 1, 1 + round * 1_000_003);
      cuts += report.cuts;
      bad += report.bad.length;
      operations = report.operations;
      for (const text of report.bad) console.error(text);
    }
    const base = { bench: 'power', against: null, ratio: null, goal: null, met: null };
    yield { ...base, case: 'operations that were cut, each several times', value: operations, unit: 'operations' };
    yield { ...base, case: 'power cuts', value: cuts, unit: 'cuts', goal: `>= ${CUTS}`, met: cuts >= CUTS };
    yield { ...base, case: 'bad states', value: bad, unit: 'states', goal: '0', met: bad === 0 };
    yield { ...base, case: 'time', value: (performance.now() - startedMs) / 1000, unit: 's' };
  },
};
