// Samples with noise, outliers and changes -> is the estimate where it should be, and as sure as it should be?
import { KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { Track } from '../../src/placement/estimate.ts';
import { resolvePlacementOptions } from '../../src/placement/options.ts';

/** About `value`, off by `share` as a standard deviation. */
function noise(seed: number, share: number): (value: number) => number {
  const random = seededRandom(seed);
  return (value) => {
    const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return value * Math.exp(share * gauss);
  };
}

function fed(samples: readonly number[]): Track {
  const track = new Track();
  samples.forEach((value, at) => track.add(value, at * 100));
  return track;
}

describe('a track', () => {
  it('knows nothing at first, then the sample and that it stands alone', () => {
    const track = new Track();
    expect(track.at(0)).toBeNull();
    track.add(40, 100);
    expect(track.at(350)).toMatchObject({ ageMs: 250, samples: 1 });
    expect(track.at(350)?.value).toBeCloseTo(40, 9);
    expect(track.at(350)?.error).toBeGreaterThan(5);
  });

  it('averages a steady quantity, and its error covers the truth', () => {
    let covered = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const noisy = noise(seed, 0.2);
      const { value, error, spread } = fed(Array.from({ length: 60 }, () => noisy(100))).at(6000) ?? fail();
      expect(Math.abs(value - 100)).toBeLessThan(25);
      expect(spread).toBeGreaterThan(8);
      expect(spread).toBeLessThan(45);
      if (Math.abs(value - 100) <= 2 * error) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(43);
  });

  it('follows a lasting change at the second sample', () => {
    const noisy = noise(3, 0.05);
    const before = Array.from({ length: 40 }, () => noisy(10));
    const value = (after: number[]): number => fed([...before, ...after]).at(9000)?.value ?? Number.NaN;
    expect(value([100])).toBeLessThan(16);
    expect(value([noisy(100), noisy(100)])).toBeGreaterThan(85);
    expect(value([noisy(1), noisy(1)])).toBeLessThan(1.2);
  });

  it('hardly moves for one absurd sample', () => {
    const noisy = noise(5, 0.05);
    const steady = Array.from({ length: 40 }, () => noisy(10));
    const value = fed([...steady, 5000, ...Array.from({ length: 3 }, () => noisy(10))]).at(9000)?.value;
    expect(value).toBeGreaterThan(8.5);
    expect(value).toBeLessThan(12);
  });

  it('follows what wanders', () => {
    const noisy = noise(7, 0.02);
    const samples = Array.from({ length: 60 }, (_, at) => noisy(10 * 1.05 ** at));
    const value = fed(samples).at(9000)?.value ?? Number.NaN;
    expect(value / (samples.at(-1) ?? 0)).toBeGreaterThan(0.85);
  });

  it('takes nothing that is no quantity', () => {
    const track = new Track();
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) track.add(value, 0);
    track.add(1, 0, 0);
    expect(track.at(0)).toBeNull();
    track.add(0, 0);
    expect(track.at(0)?.value).toBeLessThan(1e-6);
  });
});

describe('options', () => {
  it('names what is wrong', () => {
    expect(() => resolvePlacementOptions({ dwellMs: -1 })).toThrow(/'dwellMs' must be a number from 0 to/);
    expect(() => resolvePlacementOptions({ trialShare: Number.NaN })).toThrow(KerfError);
    expect(() => resolvePlacementOptions({ toString: 1 } as never)).toThrow(/'toString' is not an option/);
    expect(resolvePlacementOptions({ dwellMs: 5 }).dwellMs).toBe(5);
  });
});

function fail(): never {
  throw new Error('no estimate');
}
