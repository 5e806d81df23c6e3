// A model snapped to a grid around the one before: near the true weights, cheap to send, and the same for every device.
import { snapModel } from '@kerf/delta-sync';
import { readModel, weightRanges } from '@kerf/onnx';
import { expect, test } from 'vitest';
import { bytesOfArray, model, modelWith, normal, roundTrip, type Weight } from './support/sources.ts';

const COUNT = 96 * 160;
const old = normal(COUNT, 0.05, 1);
const noise = normal(COUNT, 1e-4, 2);
const trained = old.map((value, at) => value + (noise[at] as number));
const weight = (name: string, data: Float32Array, shape = [96, 160]): Weight => ({
  name,
  dtype: 'float32',
  shape,
  data: bytesOfArray(data),
});

function weightsOf(bytes: Uint8Array): Float32Array {
  const span = weightRanges(readModel(bytes))[0]?.span ?? { start: 0, end: 0 };
  return new Float32Array(bytes.slice(span.start, span.end).buffer);
}

test('is near the trained weights, and its delta is a tenth of theirs', async () => {
  const [before, after] = [modelWith([weight('w', old)]), modelWith([weight('w', trained)])];
  const { bytes, snapped, kept } = snapModel(before, after, 0.5);
  expect([snapped, kept]).toEqual([1, 0]);
  const values = weightsOf(bytes);
  const farthest = values.reduce((most, value, at) => Math.max(most, Math.abs(value - (trained[at] as number))), 0);
  expect(farthest).toBeLessThan(0.26e-4);
  expect(farthest).toBeGreaterThan(0);
  const { report } = await roundTrip([await model('old', before)], [await model('new', bytes)]);
  expect(report.parts.some(({ strategy }) => strategy === 'snap')).toBe(true);
  expect(report.deltaBytes / bytes.byteLength).toBeLessThan(0.13);
});

test('leaves what has no counterpart, and what did not move', () => {
  const before = modelWith([weight('w', old), weight('v', old)]);
  const after = modelWith([weight('w', old), weight('v', trained, [160, 96])]);
  const { bytes, snapped, kept } = snapModel(before, after, 0.5);
  expect([snapped, kept]).toEqual([1, 1]);
  expect(bytes).toEqual(after);
});

test('values that are not finite stay, and a step that is none is refused', () => {
  const odd = trained.slice();
  odd[3] = Number.NaN;
  odd[4] = Number.POSITIVE_INFINITY;
  const before = modelWith([weight('w', old)]);
  const values = weightsOf(snapModel(before, modelWith([weight('w', odd)]), 0.5).bytes);
  expect([values[3], values[4]]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  for (const step of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => snapModel(before, before, step)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
});
