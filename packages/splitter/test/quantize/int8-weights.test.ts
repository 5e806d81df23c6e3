// int8 weights: their error, their range, and sums that no 16-bit kernel cuts off.
import { float32Tensor, type Tensor, typedView } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { int8Weights } from '../../src/quantize/int8-weights.ts';
import { randomTensor } from './models.ts';

const levelsOf = (tensor: Tensor): Int8Array => typedView(tensor as Tensor & { dtype: 'int8' });
const floatsOf = (tensor: Tensor): Float32Array => typedView(tensor as Tensor & { dtype: 'float32' });

describe('int8 weights', () => {
  for (const [shape, axis] of [
    [[8, 4, 3, 3], 0],
    [[8, 4, 3, 3], 1],
    [[16, 12], 1],
    [[16, 12], null],
    [[2, 5, 7], 1],
  ] as const) {
    it(`of [${shape.join(', ')}] along axis ${axis} are half a step off at most`, () => {
      const weights = randomTensor(shape, 11);
      const { quantized, scales } = int8Weights(weights, { axis });
      const steps = floatsOf(scales);
      const inner = axis === null ? Number.POSITIVE_INFINITY : shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      levelsOf(quantized).forEach((level, at) => {
        const step = steps[axis === null ? 0 : Math.floor(at / inner) % steps.length] as number;
        expect(Math.abs(level * step - (floatsOf(weights)[at] as number))).toBeLessThanOrEqual(step * 0.5001);
      });
      expect(steps.length).toBe(axis === null ? 1 : shape[axis]);
    });
  }

  it('use the whole range of a channel, however small the channel is', () => {
    const weights = float32Tensor([2, 2], Float32Array.of(1, -0.4, 1e-6, 6e-7));
    expect([...levelsOf(int8Weights(weights, { axis: 0 }).quantized)]).toEqual([127, -51, 127, 76]);
  });

  it('of a channel of zeros have scale 1, and no NaN', () => {
    const { quantized, scales } = int8Weights(float32Tensor([2, 2], Float32Array.of(0, 0, 1, 1)), { axis: 0 });
    expect(floatsOf(scales)[0]).toBe(1);
    expect([...levelsOf(quantized)]).toEqual([0, 0, 127, 127]);
  });

  it('are pair-safe in both orders in which a kernel may sum them up', () => {
    const shape = [6, 5, 3, 3];
    const { quantized, narrowed } = int8Weights(randomTensor(shape, 12), { axis: 0, isPairSafe: true });
    const levels = levelsOf(quantized);
    expect(narrowed).toBeGreaterThan(0);
    for (let out = 0; out < 6; out++) {
      const kernel = levels.subarray(out * 45, (out + 1) * 45);
      const channelsLast = Array.from({ length: 45 }, (_, at) => kernel[(at % 5) * 9 + Math.floor(at / 5)] as number);
      for (const order of [[...kernel], channelsLast]) {
        for (let at = 1; at < order.length; at++) {
          expect(Math.abs((order[at - 1] as number) + (order[at] as number))).toBeLessThanOrEqual(128);
        }
      }
    }
  });

  it('of a matrix are pair-safe down each column', () => {
    const { quantized } = int8Weights(randomTensor([20, 7], 13), { axis: 1, isPairSafe: true });
    const levels = levelsOf(quantized);
    for (let at = 7; at < levels.length; at++) {
      expect(Math.abs((levels[at - 7] as number) + (levels[at] as number))).toBeLessThanOrEqual(128);
    }
  });

  it('keep a step as wide as a bias asks for', () => {
    const least = Float32Array.of(1, 0);
    const { scales } = int8Weights(randomTensor([2, 4], 14), { axis: 0, least });
    expect(floatsOf(scales)[0]).toBe(1);
    expect(floatsOf(scales)[1]).toBeLessThan(1);
  });
});
