// Small models in code, shared by the tests of this package.
import { type ErrorCode, float32Tensor, KerfError } from '@kerf/protocol';
import { expect } from 'vitest';
import { type BuildInitializer, type BuildModel, type BuildNode, buildModel } from '../src/index.ts';

export const floatValue = (name: string) => ({ name, dtype: 'float32' as const, shape: [2] });

export const weight = (name: string, values: readonly number[] = [1, 2]): BuildInitializer => ({
  name,
  tensor: float32Tensor([values.length], Float32Array.from(values)),
});

/** x and the weight w in, y out. */
export function model(nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): Uint8Array {
  return buildModel({
    nodes,
    inputs: [floatValue('x')],
    outputs: [floatValue('y')],
    initializers: [weight('w')],
    ...more,
  });
}

/** What `work` throws; fails when it throws nothing or no KerfError. */
export function kerfError(work: () => unknown): KerfError {
  try {
    work();
  } catch (error) {
    if (KerfError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export function expectCode(work: () => unknown, code: ErrorCode, message?: RegExp): void {
  const error = kerfError(work);
  expect(error.code, error.message).toBe(code);
  if (message !== undefined) expect(error.message).toMatch(message);
}
