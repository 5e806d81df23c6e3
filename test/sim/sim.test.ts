// The simulation under test: no promise is broken, a seed can be run again exactly, and faults planted in it are found.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_KINDS } from './fault-counts.ts';
import { planFaults } from './fault-plan.ts';
import { NO_PLANTS, type Plants } from './plants.ts';
import { runSeed, shrink, type WorldKind } from './simulation.ts';

interface Regression {
  readonly seed: number;
  readonly kind: WorldKind;
  readonly what: string;
}

const regressions = JSON.parse(
  readFileSync(new URL('regressions.json', import.meta.url), 'utf8'),
) as readonly Regression[];

/** `npm run sim` runs as many as one likes. */
const SEEDS = 250;

test(`${SEEDS} seeds break no promise, and every kind of fault befalls them`, async () => {
  const befell = new Set<string>();
  let moved = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations, faults, switches } = await runSeed(seed);
    expect(violations, `npm run sim -- --seed ${seed}`).toEqual([]);
    moved += switches;
    for (const kind of faults.keys()) befell.add(kind);
  }
  expect(FAULT_KINDS.filter((kind) => !befell.has(kind))).toEqual([]);
  expect(moved).toBeGreaterThan(SEEDS / 4);
}, 300_000);

test('seeds that once broke something stay whole', async () => {
  for (const { seed, kind, what } of regressions) {
    const { violations } = await runSeed(seed, { kind });
    expect(violations, `npm run sim -- --seed ${seed}: ${what}`).toEqual([]);
  }
});

test('two runs of a seed are the same to the last event', async () => {
  for (const seed of [3, 56, 1234, 99_991]) {
    const [first, second] = [await runSeed(seed, { keepsTrace: true }), await runSeed(seed, { keepsTrace: true })];
    expect(second.lines).toEqual(first.lines);
    expect(second.hash).toBe(first.hash);
  }
  expect((await runSeed(3)).hash).not.toBe((await runSeed(4)).hash);
});

/** Those that do not sit in the small program around a session. */
const OF_STATIONS = ['dropsAcks', 'wrongTail', 'swapsAnswers', 'forgetsSync'] as const;

test.each(OF_STATIONS)('finds the planted fault %s with stations alone', { timeout: 300_000 }, async (plant) => {
  // Two parts of stations seldom share a batch whose answers could be swapped: four seeds in 900.
  for (let seed = 401; seed <= 1000; seed++) {
    const { violations } = await runSeed(seed, { plants: { [plant]: true }, kind: 'station' });
    if (violations.length > 0) return;
  }
  expect.fail('600 seeds did not find it');
});

test.each(Object.keys(NO_PLANTS) as (keyof Plants)[])(
  'finds the planted fault %s',
  { timeout: 120_000 },
  async (plant) => {
    const plants = { [plant]: true };
    // Two frames seldom share a batch whose answers could be swapped: two seeds in a hundred.
    for (let seed = 1; seed <= 400; seed++) {
      const { violations } = await runSeed(seed, { plants });
      if (violations.length === 0) continue;
      const fewest = await shrink(seed, { plants });
      expect(fewest.length).toBeLessThanOrEqual(planFaults(seed).length);
      expect((await runSeed(seed, { plants, faults: fewest })).violations.length).toBeGreaterThan(0);
      return;
    }
    expect.fail('400 seeds did not find it');
  },
);
