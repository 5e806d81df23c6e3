// Bits first, then values; and float16 conversions against the runtime's own.

import { buildModel } from '@kerf/onnx';
import {
  float16Bits,
  float16Value,
  float32Tensor,
  makeTensor,
  seededRandom,
  stringTensor,
  bytesOf as viewBytes,
} from '@kerf/protocol';
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { compareTensors } from '../src/index.ts';

const tolerance = { relative: 1e-3, absolute: 1e-5 };
const floats = (...values: number[]) => float32Tensor([values.length], Float32Array.from(values));
const words = (...values: number[]) => makeTensor('float32', [values.length], viewBytes(Uint32Array.from(values)));

describe('compareTensors', () => {
  test('equal bits are equal, NaNs too', () => {
    expect(compareTensors(floats(1, Number.NaN), floats(1, Number.NaN), tolerance).isBitEqual).toBe(true);
  });

  test('NaNs of other bits, and zeros of other signs, are within tolerance but not bit-equal', () => {
    const nans = compareTensors(words(0x7fc00000), words(0x7fc00001), tolerance);
    expect(nans).toEqual({ isBitEqual: false, maxAbsolute: 0, maxRelative: 0, isWithin: true });
    expect(compareTensors(floats(0), floats(-0), tolerance)).toMatchObject({ isBitEqual: false, isWithin: true });
  });

  test('reports the largest differences and judges by both tolerances', () => {
    const small = compareTensors(floats(100, 0), floats(100.05, 1e-6), tolerance);
    expect(small.isWithin).toBe(true);
    expect(small.maxAbsolute).toBeCloseTo(0.05, 5);
    expect(small.maxRelative).toBeCloseTo(5e-4, 6);
    expect(compareTensors(floats(100), floats(101), tolerance).isWithin).toBe(false);
  });

  test('a NaN or an infinity on one side only differs', () => {
    expect(compareTensors(floats(1), floats(Number.NaN), tolerance).isWithin).toBe(false);
    expect(compareTensors(floats(Number.NaN), floats(1), tolerance).maxAbsolute).toBe(Number.POSITIVE_INFINITY);
    expect(compareTensors(floats(1), floats(Number.POSITIVE_INFINITY), tolerance).isWithin).toBe(false);
  });

  test('another dtype, shape or string differs', () => {
    expect(compareTensors(floats(1), makeTensor('int32', [1], new Uint8Array(4)), tolerance).isWithin).toBe(false);
    expect(compareTensors(floats(1), float32Tensor([1, 1], Float32Array.of(1)), tolerance).isWithin).toBe(false);
    expect(compareTensors(stringTensor([1], ['a']), stringTensor([1], ['b']), tolerance).isWithin).toBe(false);
  });
});

test('float16 conversions round as the runtime does', async () => {
  const cast = (from: 'float32' | 'float16', to: 'float32' | 'float16') =>
    ort.InferenceSession.create(
      buildModel({
        nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: to === 'float16' ? 10 : 1 } }],
        inputs: [{ name: 'x', dtype: from, shape: ['n'] }],
        outputs: [{ name: 'y', dtype: to, shape: ['n'] }],
      }),
    );
  const random = seededRandom(5);
  const spread = Array.from({ length: 20_000 }, () => (random() - 0.5) * 2 ** Math.floor(random() * 60 - 40));
  const values = Float32Array.from([
    0,
    -0,
    65_504,
    65_519,
    65_520,
    1e9,
    2 ** -24,
    2 ** -25,
    2 ** -26,
    6e-8,
    1 / 3,
    ...spread,
  ]);
  const half = (
    await (await cast('float32', 'float16')).run({ x: new ort.Tensor('float32', values, [values.length]) })
  )['y'];
  const expected = [...((half as ort.Tensor).data as Uint16Array)];
  expect([...values].map(float16Bits)).toEqual(expected);
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  const back = (await (await cast('float16', 'float32')).run({ x: new ort.Tensor('float16', all, [all.length]) }))['y'];
  expect([...all].map(float16Value)).toEqual([...((back as ort.Tensor).data as Float32Array)]);
});

test('the same seed gives the same numbers, in [0, 1)', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [left, right] = [seededRandom(seed), seededRandom(seed)];
      for (let at = 0; at < 20; at++) {
        const value = left();
        expect(right()).toBe(value);
        expect(value >= 0 && value < 1).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
