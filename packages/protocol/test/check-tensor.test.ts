// Tensors against what a model declares.
import { expect, test } from 'vitest';
import { checkTensor, checkTensors, float32Tensor } from '../src/index.ts';

const x = float32Tensor([2, 3], new Float32Array(6));

test('a tensor must have dtype and shape of its input', () => {
  expect(() => checkTensor(x, { name: 'x', dtype: 'float32', shape: ['N', 3] })).not.toThrow();
  expect(() => checkTensor(x, { name: 'x', dtype: 'float32', shape: [3, 3] })).toThrow(
    "tensor 'x' must be float32[3, 3], got float32[2, 3]",
  );
});

test('an input that is no plain tensor is left to the runtime: an optional takes one', () => {
  expect(() => checkTensors(new Map([['x', x]]), [{ name: 'x', dtype: null, shape: null }])).not.toThrow();
});
