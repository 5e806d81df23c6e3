// A simulated fleet in its short form; `npm run bench -- rollout` has 100,000 devices.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openEmbedded } from '../src/store/embedded.ts';
import { type FleetOptions, type FleetResult, simulateFleet } from './simulate-fleet.ts';

const stages: FleetOptions['stages'] = [
  { members: { kind: 'share', share: 0.1 } },
  { members: { kind: 'share', share: 0.3 } },
  { members: { kind: 'rest' } },
];

async function simulated(options: Omit<FleetOptions, 'stages'>): Promise<FleetResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-fleet-'));
  const database = await openEmbedded({ file: path.join(folder, 'fleet.db'), flushed: false });
  try {
    return await simulateFleet(database, { ...options, stages });
  } finally {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test('a bad release reaches no more than one group and what was in flight', async () => {
  const result = await simulated({ devices: 1000, badShare: 1 / 3, maxInFlight: 20, seed: 7 });
  expect(result).toMatchObject({ status: 'stopped', openStages: 1, offeredAfterStop: 0 });
  expect(result.offered).toBeLessThanOrEqual(result.firstGroup);
  // The tenth ended device at the earliest lets the share count; then only what is in flight still fails.
  expect(result.failed).toBeLessThanOrEqual(10 + 20);
  expect(result.inFlightAtStop).toBeLessThanOrEqual(20);
});

test('a good release reaches everyone', async () => {
  const result = await simulated({ devices: 400, badShare: 0, maxInFlight: 1000, seed: 8 });
  expect(result).toMatchObject({ status: 'finished', openStages: 3, failed: 0 });
  expect(result.offered).toBe(400);
});
