// Levels made in two ways: which of them go on.
import { describe, expect, test } from 'vitest';
import type { CutSamples } from '../../src/codec/cut-samples.ts';
import { searchLevels, searchWays, type TriedLevels } from '../../src/codec/level-search.ts';
import type { LevelTrials } from '../../src/codec/level-trials.ts';
import { CutStudy } from '../../src/index.ts';
import { madeUpCut } from './made-up-cut.ts';

async function request(maxLossPoints: number) {
  const study = await CutStudy.open({ chosenOn: madeUpCut(60, { seed: 1 }), judgedOn: madeUpCut(160, { seed: 2 }) });
  const samples = { samples: study.chosenOn, whole: study.wholeOfChosen, judgedSamples: study.judgedOn.count };
  const asked = { ...samples, maxLossPoints, confidencePercent: 95, onProgress: (): void => {} };
  return { asked, ways: await study.trials(64, () => {}) };
}

const bitsOf = ({ design }: TriedLevels): number => design.bitsPerValue;

describe('the search among ways to weigh an error', () => {
  test('takes the one that keeps the limit with fewer bits, in whichever order they come', async () => {
    const { asked, ways } = await request(5);
    const alone: TriedLevels[] = [];
    for (const trials of ways) alone.push(await searchLevels({ ...asked, trials }));
    const [one = Number.NaN, other = Number.NaN] = alone.map(bitsOf);
    expect(Math.abs(one - other)).toBeGreaterThan(0);
    for (const order of [ways, ways.toReversed()]) {
      const { trials, tried } = await searchWays(asked, order);
      expect(bitsOf(tried)).toBe(Math.min(one, other));
      expect(ways.indexOf(trials)).toBe(one < other ? 0 : 1);
    }
  });

  test('prefers levels that keep the limit to fewer bits', async () => {
    const { asked, ways } = await request(5);
    const [trials] = ways as [LevelTrials];
    const { notch } = await searchLevels({ ...asked, trials });
    const never = {
      design: () => trials.design(notch + 20),
      tallies: (samples: CutSamples) => trials.tallies(samples, notch + 20),
    };
    const found = await searchWays(asked, [never as unknown as LevelTrials, trials]);
    expect(found.trials).toBe(trials);
    expect(found.tried.upperLossPoints).toBeLessThanOrEqual(5);
  });
});
