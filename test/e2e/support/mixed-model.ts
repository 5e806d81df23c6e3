// A small model with all that makes cuts hard: branches, `If` bodies that capture, early outputs, and tensors of many dtypes.
import { type BuildGraph, buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor, makeTensor } from '@kerf/protocol';

const FLOAT = 1;
const INT64 = 7;
const FLOAT16 = 10;
const DOUBLE = 11;

const square = (name: string) => ({ name, dtype: 'float32' as const, shape: [2, 3] });

/** A body without inputs: it takes `left` and `right` from the graph around it. */
const body = (op: string, left: string, right: string): BuildGraph => ({
  name: op,
  nodes: [
    { op, inputs: [left, right], outputs: [`${op}_made`] },
    { op: 'Abs', inputs: [`${op}_made`], outputs: [`${op}_out`] },
  ],
  outputs: [square(`${op}_out`)],
});

export const mixedModel = (): Uint8Array =>
  buildModel({
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['kept'] },
      { op: 'Neg', inputs: ['x'], outputs: ['turned'] },
      { op: 'Mul', inputs: ['kept', 'turned'], outputs: ['early'] },
      { op: 'Cast', inputs: ['kept'], outputs: ['whole'], attributes: { to: INT64 } },
      { op: 'Greater', inputs: ['kept', 'turned'], outputs: ['flags'] },
      { op: 'Cast', inputs: ['turned'], outputs: ['half'], attributes: { to: FLOAT16 } },
      { op: 'Cast', inputs: ['kept'], outputs: ['double'], attributes: { to: DOUBLE } },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['total'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['total', 'zero'], outputs: ['rising'] },
      { op: 'Cast', inputs: ['half'], outputs: ['rounded'], attributes: { to: FLOAT } },
      {
        op: 'If',
        inputs: ['rising'],
        outputs: ['picked'],
        attributes: {
          then_branch: { graph: body('Add', 'kept', 'rounded') },
          else_branch: { graph: body('Sub', 'turned', 'rounded') },
        },
      },
      { op: 'Where', inputs: ['flags', 'picked', 'turned'], outputs: ['chosen'] },
      { op: 'Mul', inputs: ['whole', 'three'], outputs: ['counts'] },
      { op: 'Cast', inputs: ['double'], outputs: ['single'], attributes: { to: FLOAT } },
      { op: 'Gather', inputs: ['words', 'order'], outputs: ['said'] },
      { op: 'Concat', inputs: ['said', 'words'], outputs: ['text'], attributes: { axis: 0 } },
      { op: 'Add', inputs: ['chosen', 'single'], outputs: ['joined'] },
      { op: 'Sigmoid', inputs: ['joined'], outputs: ['y'] },
    ],
    inputs: [square('x'), { name: 'words', dtype: 'string', shape: [3] }],
    outputs: [
      square('y'),
      square('early'),
      { name: 'counts', dtype: 'int64', shape: [2, 3] },
      { name: 'text', dtype: 'string', shape: [6] },
    ],
    initializers: [
      { name: 'zero', tensor: float32Tensor([], Float32Array.of(0)) },
      { name: 'three', tensor: makeTensor('int64', [], bytesOf(BigInt64Array.of(3n))) },
      { name: 'order', tensor: makeTensor('int64', [3], bytesOf(BigInt64Array.of(2n, 0n, 1n))) },
    ],
  });
