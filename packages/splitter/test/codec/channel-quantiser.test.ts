// Entropy-constrained quantisers: what they spend and lose, held against plain ones.
import { float32Tensor, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { designChannel } from '../../src/codec/channel-quantiser.ts';
import { channelBins, totalVariation } from '../../src/codec/planes.ts';

const SIDE = 64;

/** One channel of independent values. */
function channelOf(make: (random: () => number) => number, seed = 3) {
  const values = Float32Array.from(
    { length: SIDE * SIDE },
    (
      (random) => () =>
        make(random)
    )(seededRandom(seed)),
  );
  const [channel] = channelBins([float32Tensor([1, 1, SIDE, SIDE], values)], 1);
  if (channel === undefined) throw new Error('there is one channel');
  return { channel, values };
}

const laplacian = (random: () => number): number => {
  const uniform = random() - 0.5;
  return -Math.sign(uniform) * Math.log(1 - 2 * Math.abs(uniform) + 1e-9);
};
const rectified = (random: () => number): number => Math.max(0, laplacian(random) - 0.2);

/** Squared error and order-0 bits of even steps with zero in the middle of one. */
function evenly(values: Float32Array, step: number): { squaredError: number; bits: number } {
  const cells = new Map<number, number[]>();
  for (const value of values) {
    const cell = Math.round(value / step);
    cells.set(cell, [...(cells.get(cell) ?? []), value]);
  }
  let squaredError = 0;
  let bits = 0;
  for (const members of cells.values()) {
    const mean = members.reduce((sum, value) => sum + value, 0) / members.length;
    squaredError += members.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    bits -= members.length * Math.log2(members.length / values.length);
  }
  return { squaredError, bits };
}

describe('quantisers of a channel', () => {
  test('error and bits are what the thresholds and values do to the values', () => {
    const { channel, values } = channelOf(rectified);
    const design = designChannel(channel, 0.1, 64);
    const error = values.reduce((sum, value) => {
      const level = design.thresholds.filter((threshold) => value >= threshold).length;
      return sum + (value - (design.values[level] as number)) ** 2;
    }, 0);
    expect(design.squaredError).toBeCloseTo(error, 0);
    expect(design.squaredError / error).toBeCloseTo(1, 2);
    expect(design.thresholds.length).toBe(design.values.length - 1);
  });

  test('a higher price of bits buys fewer bits and more error, down to none', () => {
    const { channel } = channelOf(laplacian);
    const designs = [0.001, 0.01, 0.1, 0.5, 2, 1e6].map((price) => designChannel(channel, price, 64));
    for (const [at, design] of designs.entries()) {
      const finer = designs[at - 1];
      if (finer === undefined) continue;
      expect(design.bits).toBeLessThan(finer.bits);
      expect(design.squaredError).toBeGreaterThan(finer.squaredError);
    }
    expect(designs.at(-1)).toMatchObject({ bits: 0, squaredError: totalVariation(channel) });
    expect(designChannel(channel, Number.POSITIVE_INFINITY, 64).values.length).toBe(1);
  });

  test.each([
    ['signed', laplacian],
    ['rectified', rectified],
  ])('%s values cost less than in even steps, and at no rate notably more', (_, make) => {
    const { channel, values } = channelOf(make);
    let ratios = 0;
    let count = 0;
    for (const step of [0.5, 1, 2, 4]) {
      const even = evenly(values, step);
      // The price at which a step is usually right; whatever it is, the sum must be less.
      for (const price of [step ** 2 / 12, step ** 2 / 6, step ** 2 / 3]) {
        const design = designChannel(channel, price, 64);
        const ratio = (design.squaredError + price * design.bits) / (even.squaredError + price * even.bits);
        expect(ratio).toBeLessThan(1.03);
        ratios += ratio;
        count++;
      }
    }
    expect(ratios / count).toBeLessThan(1);
  });

  test('never more levels than allowed', () => {
    const { channel } = channelOf((random) => random() * 100);
    for (const most of [1, 2, 3, 7, 64]) {
      const { values, thresholds } = designChannel(channel, 1e-9, most);
      expect(values.length).toBeLessThanOrEqual(most);
      expect(thresholds.length).toBe(values.length - 1);
      for (const list of [values, thresholds]) expect([...list]).toEqual([...list].sort((a, b) => a - b));
    }
  });

  test('a channel that never changes costs nothing and comes back as it is', () => {
    const { channel } = channelOf(() => 2.5);
    expect(designChannel(channel, 0.1, 64)).toMatchObject({ bits: 0, squaredError: 0, values: Float32Array.of(2.5) });
  });

  test('two values need two levels, whatever lies between', () => {
    const { channel } = channelOf((random) => (random() < 0.5 ? -1 : 3));
    const { values, squaredError } = designChannel(channel, 0.01, 64);
    expect([...values]).toEqual([-1, 3]);
    expect(squaredError).toBeCloseTo(0, 6);
  });

  test('values far out do not spoil the others', () => {
    const { channel } = channelOf((random) => (random() < 0.001 ? 1e6 : random()));
    const design = designChannel(channel, 0.001, 64);
    expect(design.values.filter((value) => value < 2).length).toBeGreaterThan(3);
  });
});
