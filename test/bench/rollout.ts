// How far does a bad release get? A simulated fleet against the registry's own code and an embedded database, in virtual time.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../packages/registry/src/store/embedded.ts';
import { simulateFleet } from '../../packages/registry/test/simulate-fleet.ts';
import type { Bench, BenchRow } from './bench.ts';

const DEVICES = 100_000;
const MAX_IN_FLIGHT = 200;

export const rollout: Bench = {
  name: 'rollout',
  summary: `${DEVICES} simulated devices, a release that fails on a third of them, stages of 1 %, 10 % and the rest`,
  async *run() {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const database = await openEmbedded({ file: join(folder, 'fleet.db'), flushed: false });
    try {
      const result = await simulateFleet(database, {
        devices: DEVICES,
        badShare: 1 / 3,
        stages: [
          { members: { kind: 'share', share: 0.01 } },
          { members: { kind: 'share', share: 0.1 } },
          { members: { kind: 'rest' } },
        ],
        maxInFlight: MAX_IN_FLIGHT,
        seed: 1,
      });
      const base = { bench: 'rollout', goal: null, met: null } as const;
      const reach = result.firstGroup + result.inFlightAtStop;
      const isStopped = result.status === 'stopped' && result.openStages === 1 && result.offeredAfterStop === 0;
      yield {
        ...base,
        case: 'devices that were offered the bad release',
        value: result.offered,
        unit: 'devices',
        against: `one group and what was in flight, ${reach}`,
        ratio: result.offered / reach,
        goal: '<= 1',
        met: isStopped && result.offered <= reach,
      };
      const alone = (what: string, value: number, unit: string): BenchRow => ({
        ...base,
        case: what,
        value,
        unit,
        against: null,
        ratio: null,
      });
      yield alone('devices on which it failed', result.failed, 'devices');
      yield alone('in flight when it stopped', result.inFlightAtStop, 'devices');
      yield alone('offered after it had stopped', result.offeredAfterStop, 'devices');
      yield alone(`one check-in, mean of ${result.checks}`, result.checkMs, 'ms');
    } finally {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
