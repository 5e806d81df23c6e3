// Intervals against published values, closed forms, and how often they hold the truth.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import {
  bootstrapInterval,
  imageAurocInterval,
  metricFor,
  metricInterval,
  pairedLoss,
  pixelAuroc,
  pixelAurocInterval,
  type Tally,
  wilsonInterval,
} from '../../src/index.ts';

describe('wilsonInterval', () => {
  test('published values (Newcombe 1998, table I)', () => {
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [successes, trials, low, high] of published) {
      const interval = wilsonInterval(successes, trials);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  test('the ends are exact, nothing tried says nothing, no share is refused', () => {
    expect(wilsonInterval(0, 7).low).toBe(0);
    expect(wilsonInterval(7, 7).high).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
    expect(() => wilsonInterval(3, 2)).toThrow(/no share/);
    expect(() => wilsonInterval(Number.NaN, 2)).toThrow(/no share/);
  });
});

describe('bootstrapInterval', () => {
  test('every drawn set has as many samples as there are, and one seed draws the same sets', () => {
    const drawn: string[] = [];
    const take = (weights: Uint32Array): number => {
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(5);
      drawn.push(weights.join(' '));
      return weights[0] as number;
    };
    const first = bootstrapInterval(5, take, { resamples: 50 });
    expect(new Set(drawn).size).toBeGreaterThan(20);
    expect(bootstrapInterval(5, take, { resamples: 50 })).toEqual(first);
    expect(drawn.slice(50)).toEqual(drawn.slice(0, 50));
    bootstrapInterval(5, take, { resamples: 50, seed: 2 });
    expect(drawn.slice(100)).not.toEqual(drawn.slice(0, 50));
  });

  test('of a mean, is near the interval of the normal distribution', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 400 }, () => random());
    const mean = values.reduce((sum, value) => sum + value, 0) / 400;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 399 / 400);
    const { low, high } = bootstrapInterval(
      400,
      (weights) => values.reduce((sum, value, at) => sum + value * (weights[at] as number), 0) / 400,
      { resamples: 4000 },
    );
    expect(Math.abs(low - (mean - 1.96 * spread))).toBeLessThan(0.15 * spread);
    expect(Math.abs(high - (mean + 1.96 * spread))).toBeLessThan(0.15 * spread);
  });

  test('leaves out sets without the statistic; of none, has no bounds; needs samples', () => {
    const { low, high } = bootstrapInterval(2, (weights) => ((weights[0] as number) === 0 ? Number.NaN : 4));
    expect([low, high]).toEqual([4, 4]);
    expect(bootstrapInterval(2, () => Number.NaN).low).toBeNaN();
    expect(() => bootstrapInterval(0, () => 1)).toThrow(/needs samples/);
  });
});

test('the interval of an image AUROC is near that of Hanley and McNeil', () => {
  const random = seededRandom(5);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const scored = Array.from({ length: 300 }, (_, at) => ({
    score: normal() + (at % 2 === 0 ? 1.2 : 0),
    isDefective: at % 2 === 0,
  }));
  const area = 0.8;
  const q1 = area / (2 - area);
  const q2 = (2 * area ** 2) / (1 + area);
  const variance = (area * (1 - area) + 149 * (q1 - area ** 2) + 149 * (q2 - area ** 2)) / (150 * 150);
  const { low, high } = imageAurocInterval(scored);
  expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeGreaterThan(0.75);
  expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeLessThan(1.25);
});

test('the interval of a pixel AUROC draws samples, not pixels', () => {
  const counts = (defective: number[], sound: number[]) => ({
    defective: Uint32Array.from(defective),
    sound: Uint32Array.from(sound),
  });
  const good = counts([0, 1000], [1000, 0]);
  const bad = counts([1000, 0], [0, 1000]);
  expect(pixelAuroc([good, bad])).toBe(0.5);
  // Pixels by the thousand, and yet two samples: the truth may be anything.
  expect(pixelAurocInterval([good, bad])).toEqual({ low: 0, high: 1 });
});

describe('the interval of a metric', () => {
  const tallies = Array.from({ length: 50 }, (_, at): Tally => ({ right: at % 5 === 0 ? 0 : 1, of: 1 }));

  test("is Wilson's for accuracy, and the bootstrap's for what is pooled", () => {
    const { low, high } = wilsonInterval(40, 50);
    expect(metricInterval(metricFor('class'), tallies)).toEqual({ low: 100 * low, high: 100 * high });
    const pooled = metricInterval(metricFor('defect'), tallies);
    expect(pooled.low).toBeLessThan(75);
    expect(pooled.high).toBeGreaterThan(85);
  });
});

describe('pairedLoss', () => {
  const metric = metricFor('class');
  const right = { right: 1, of: 1 };
  const wrong = { right: 0, of: 1 };

  test('is 0 with no width for equal runs, however bad they are', () => {
    const run = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? right : wrong));
    expect(pairedLoss(metric, run, run)).toMatchObject({ lossPoints: 0, lossInterval: { low: 0, high: 0 } });
  });

  test('is narrower than two intervals apart, and its sign is that of a loss', () => {
    const whole = Array.from({ length: 200 }, (_, at) => (at % 3 === 0 ? wrong : right));
    const coded = whole.map((tally, at) => (at === 1 || at === 100 ? wrong : tally));
    const loss = pairedLoss(metric, whole, coded);
    expect(loss.lossPoints).toBeCloseTo(1, 10);
    expect(loss.wholePoints - loss.codedPoints).toBeCloseTo(1, 10);
    expect(loss.lossInterval.low).toBeGreaterThanOrEqual(0);
    expect(loss.lossInterval.high).toBeLessThan(3.5);
    expect(pairedLoss(metric, coded, whole).lossPoints).toBeCloseTo(-1, 10);
  });

  test('holds the truth about as often as it says', () => {
    const random = seededRandom(11);
    let held = 0;
    for (let round = 0; round < 200; round++) {
      const whole = Array.from({ length: 120 }, () => (random() < 0.8 ? right : wrong));
      const coded = whole.map((tally) => (tally.right === 1 && random() < 0.1 ? wrong : tally));
      const { low, high } = pairedLoss(metric, whole, coded, { resamples: 300, seed: round }).lossInterval;
      if (low <= 8 && 8 <= high) held++;
    }
    expect(held).toBeGreaterThan(175);
    expect(held).toBeLessThan(200);
  });

  test('runs of other lengths are no pair, and nothing has no loss', () => {
    expect(() => pairedLoss(metric, [right], [])).toThrow(/no pair/);
    expect(() => pairedLoss(metric, [], [])).toThrow(/no answers/);
  });
});
