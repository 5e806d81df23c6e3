// How far outputs are moved, over samples.
import { bytesOf, float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { OutputDistance, type Weighing } from '../../src/codec/output-distance.ts';

const floats = (...values: number[]): Tensor => float32Tensor([values.length], Float32Array.from(values));
const longs = (...values: bigint[]): Tensor =>
  makeTensor('int64', [values.length], bytesOf(BigInt64Array.from(values)));

type Pair = readonly [expected: Tensor, actual: Tensor | null];

function distanceOf(...pairs: Pair[]): number {
  return distanceBy('together', ...pairs);
}

function distanceBy(weighing: Weighing, ...pairs: Pair[]): number {
  const distance = new OutputDistance();
  for (const [expected, actual] of pairs) {
    distance.add(new Map([['y', expected]]), new Map(actual === null ? [] : [['y', actual]]));
  }
  return distance.by(weighing);
}

describe('the distance of outputs', () => {
  test('is of all samples together: a mask of nothing but noise says little of an error', () => {
    const defect = [floats(3, 4), floats(3, 3)] as const;
    const noise = [floats(0.01, 0), floats(0, 0.01)] as const;
    expect(distanceOf(defect)).toBeCloseTo(0.04, 6);
    expect(distanceOf(noise)).toBe(1);
    expect(distanceOf(defect, noise)).toBeCloseTo(0.04, 4);
  });

  test('is of each sample by its own size, where all are to count alike', () => {
    expect(distanceBy('each', [floats(3, 4), floats(3, 3)], [floats(0.01, 0), floats(0, 0.01)])).toBeCloseTo(1.04, 6);
    expect(distanceBy('each', [floats(3, 4), floats(3, 4, 5)], [longs(1n, 2n), longs(1n, 3n)])).toBe(1.5);
  });

  test('a mask that appears where there was none counts for what it is', () => {
    expect(distanceOf([floats(3, 4), floats(3, 4)], [floats(0, 0), floats(0, 3)])).toBeCloseTo(9 / 25, 6);
  });

  test('counted numbers are the same or not', () => {
    expect(distanceOf([longs(1n, 2n, 3n, 4n), longs(1n, 2n, 3n, 9n)])).toBe(0.25);
  });

  test('is no more than 1 for NaN, another shape, or an output that is not there', () => {
    expect(distanceOf([floats(3, 4), floats(Number.NaN, 4)])).toBe(1);
    expect(distanceOf([floats(3, 4), floats(3, 4, 5)])).toBe(1);
    expect(distanceOf([floats(3, 4), null])).toBe(1);
    expect(distanceOf([floats(), floats(1)])).toBe(1);
    expect(distanceOf([floats(3, 4), floats(300, 400)])).toBe(1);
    expect(distanceOf([floats(3, 4), floats(3, 4)], [floats(3, 4), null])).toBe(0.5);
  });

  test('is 0 where nothing moves', () => {
    expect(distanceOf([floats(0, Number.NaN), floats(0, Number.NaN)])).toBe(0);
    expect(new OutputDistance().by('together')).toBe(0);
  });
});
