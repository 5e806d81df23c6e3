// Histograms and the three ways to choose a range from them.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { chooseRange, Histogram } from '../../src/index.ts';
import { affineOf } from '../../src/quantize/affine.ts';

/** Sum of twelve even draws: nearly normal, deviation 1. */
function normal(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const draw = (): number => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
  return Float32Array.from({ length: count }, draw);
}

function histogramOf(...parts: readonly Float32Array[]): Histogram {
  const histogram = new Histogram();
  for (const part of parts) histogram.add(part);
  return histogram;
}

describe('a histogram', () => {
  it('is the same whether large values come first or last', () => {
    const [small, large] = [normal(5000, 1), normal(50, 2).map((value) => value * 1000)];
    const [one, other] = [histogramOf(small, large), histogramOf(large, small)];
    expect(one.range).toEqual(other.range);
    expect(one.limit).toBe(other.limit);
    expect([...one.bins]).toEqual([...other.bins]);
  });

  it('counts what is not finite apart and keeps it out of the range', () => {
    const histogram = histogramOf(
      Float32Array.of(Number.NaN, 2, Number.POSITIVE_INFINITY, -3, Number.NEGATIVE_INFINITY),
    );
    expect(histogram.range).toEqual({ min: -3, max: 2 });
    expect([histogram.count, histogram.notFinite]).toEqual([2, 3]);
  });

  it('holds zeros alone, and nothing at all', () => {
    expect(histogramOf(new Float32Array(10)).range).toEqual({ min: 0, max: 0 });
    expect(new Histogram().range).toEqual({ min: 0, max: 0 });
    expect(affineOf({ min: 0, max: 0 }).scale).toBeGreaterThan(0);
  });

  it('sorts in only a part of a large tensor, but never misses its ends', () => {
    const values = new Float32Array(1_000_000);
    values[777_777] = 12.5;
    values[5] = -4;
    const histogram = histogramOf(values);
    expect(histogram.range).toEqual({ min: -4, max: 12.5 });
    expect(histogram.binned).toBeLessThan(100_000);
  });
});

describe('a range', () => {
  it('by min-max is all that was seen', () => {
    const values = normal(1000, 3);
    expect(chooseRange(histogramOf(values), { method: 'minmax' })).toEqual({
      min: Math.min(...values),
      max: Math.max(...values),
    });
  });

  it('by percentile leaves out the share that it says, at both ends', () => {
    const values = normal(60_000, 4);
    const { min, max } = chooseRange(histogramOf(values), { method: 'percentile', percentile: 99 });
    const outside = values.filter((value) => value < min || value > max).length / values.length;
    expect(outside).toBeGreaterThan(0.008);
    expect(outside).toBeLessThan(0.0105);
    expect(Math.abs(min + max)).toBeLessThan(0.1);
  });

  it('by percentile 100 is min-max to a bin', () => {
    const histogram = histogramOf(normal(1000, 5));
    const { min, max } = chooseRange(histogram, { method: 'percentile', percentile: 100 });
    expect(min).toBeCloseTo(histogram.range.min, 2);
    expect(max).toBeCloseTo(histogram.range.max, 2);
  });

  it('by entropy cuts off a lone outlier and keeps what is even', () => {
    const withOutlier = normal(50_000, 6);
    withOutlier[0] = 100;
    const { max } = chooseRange(histogramOf(withOutlier), { method: 'entropy' });
    expect(max).toBeLessThan(50);
    expect(max).toBeGreaterThan(3);
    const random = seededRandom(7);
    const even = Float32Array.from({ length: 50_000 }, random);
    expect(chooseRange(histogramOf(even), { method: 'entropy' }).max).toBeGreaterThan(0.95);
  });

  it('by entropy is not misled by the zeros that ReLU makes', () => {
    const rectified = normal(50_000, 8).map((value) => Math.max(0, value - 1));
    const { min, max } = chooseRange(histogramOf(rectified), { method: 'entropy' });
    expect(min).toBe(0);
    expect(max).toBeGreaterThan(1.5);
  });

  it('always has zero as a level', () => {
    for (const range of [
      { min: 3, max: 7 },
      { min: -9, max: -2 },
      { min: -1.37, max: 2.9 },
    ]) {
      const { scale, zeroPoint } = affineOf(range);
      expect(Number.isInteger(zeroPoint)).toBe(true);
      expect((255 - zeroPoint) * scale).toBeGreaterThanOrEqual(range.max - scale / 2 - 1e-6);
      expect((0 - zeroPoint) * scale).toBeLessThanOrEqual(range.min + scale / 2 + 1e-6);
    }
  });
});
