// Small models in code and a real runtime, shared by the tests of this package.

import { type BuildModel, type BuildNode, buildModel, type ModelGraph, openModel } from '@kerf/onnx';
import { type Backend, type ErrorCode, float32Tensor, KerfError, type OrtModule, ortBackend } from '@kerf/protocol';
import { expect } from 'vitest';

export const cpu = (ort: OrtModule): Backend =>
  ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });

export const float = (name: string, shape: (number | string)[] = [2]) => ({ name, dtype: 'float32' as const, shape });

export const relu = (from: string, to: string): BuildNode => ({ op: 'Relu', inputs: [from], outputs: [to] });
export const add = (left: string, right: string, to: string): BuildNode => ({
  op: 'Add',
  inputs: [left, right],
  outputs: [to],
});

export const weight = (name: string) => ({ name, tensor: float32Tensor([2], Float32Array.of(0.25, -3)) });

/** Input x, weight w, output y unless said otherwise. */
export function bytesOf(nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): Uint8Array {
  return buildModel({ nodes, inputs: [float('x')], outputs: [float('y')], initializers: [weight('w')], ...more });
}

export function graphOf(nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): ModelGraph {
  return openModel(bytesOf(nodes, more));
}

/** A chain, a diamond and a second output: y and z. */
export const diamond: readonly BuildNode[] = [
  relu('x', 'a'),
  add('a', 'w', 'b'),
  relu('b', 'c'),
  add('b', 'c', 'd'),
  { op: 'Sigmoid', inputs: ['d'], outputs: ['e'] },
  add('e', 'w', 'y'),
];

export function expectCode(work: () => unknown, code: ErrorCode, message?: RegExp): KerfError {
  try {
    work();
  } catch (error) {
    if (!KerfError.is(error)) throw error;
    expect(error.code, error.message).toBe(code);
    if (message !== undefined) expect(error.message).toMatch(message);
    return error;
  }
  throw new Error('nothing was thrown');
}
