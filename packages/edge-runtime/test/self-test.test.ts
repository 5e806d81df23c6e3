// The self-test against a backend that computes rightly, and against ones that lie in the ways that providers have lied.
import { buildModel } from '@kerf/onnx';
import { type Backend, float32Tensor, KerfError, makeTensor, type Tensor, type TensorMap } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TOLERANCE, selfTest } from '../src/browser/self-test.ts';
import { nodeBackend } from '../src/node/node-backend.ts';

const head = buildModel({
  nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float32', shape: [4] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [4] }],
});
const probe = { model: { bytes: head }, sample: new Map([['x', float32Tensor([4], Float32Array.of(-1, 0, 1, 1000))]]) };

let real: Backend;
beforeAll(async () => {
  real = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
});
afterAll(() => real.dispose());

/** The real backend, with `lie` over the outputs of every run. */
function lying(lie: (outputs: TensorMap) => TensorMap): Backend {
  return {
    name: 'liar',
    async load(source, options) {
      const model = await real.load(source, options);
      return {
        inputs: model.inputs,
        outputs: model.outputs,
        run: async (inputs) => lie(await model.run(inputs)),
        dispose: () => model.dispose(),
      };
    },
    dispose: () => Promise.resolve(),
  };
}

const change = (edit: (y: Float32Array) => void) =>
  lying((outputs) => {
    const y = outputs.get('y') as Tensor;
    const values = new Float32Array(new Uint8Array(y.data).buffer);
    edit(values);
    return new Map([['y', float32Tensor(y.shape, values)]]);
  });

describe('self-test', () => {
  it('passes a backend that computes rightly', async () => {
    expect(await selfTest(real, { probe, reference: real }, DEFAULT_TOLERANCE)).toBeNull();
  });

  it.each<[string, () => Backend]>([
    ['one value that is off', () => change((y) => (y[1] = (y[1] as number) + 0.01))],
    ['a value that is not a number', () => change((y) => (y[0] = Number.NaN))],
    ['zeros', () => change((y) => y.fill(0))],
    [
      'another dtype',
      () => lying((outputs) => new Map([['y', { ...(outputs.get('y') as Tensor), dtype: 'int32' as const }]])),
    ],
    ['another shape', () => lying((outputs) => new Map([['y', { ...(outputs.get('y') as Tensor), shape: [1] }]]))],
    ['no output', () => lying(() => new Map())],
  ])('refuses %s', async (_, backend) => {
    expect(await selfTest(backend(), null, DEFAULT_TOLERANCE)).toMatchObject({ code: 'SELF_TEST_FAILED' });
  });

  it('refuses a backend that is right on the known models and wrong on the head', async () => {
    const isHead = (outputs: TensorMap): boolean => outputs.get('y')?.shape.join() === '4';
    const wrong = lying((outputs) =>
      isHead(outputs) ? new Map([['y', float32Tensor([4], Float32Array.of(0, 0, 1, 1010))]]) : outputs,
    );
    const failure = await selfTest(wrong, { probe, reference: real }, DEFAULT_TOLERANCE);
    expect(failure).toMatchObject({ code: 'SELF_TEST_FAILED' });
    expect(failure?.message).toContain("the session's model");
    // Kernels may differ in the last bits.
    const near = lying((outputs) =>
      isHead(outputs) ? new Map([['y', float32Tensor([4], Float32Array.of(0, 0, 1.0001, 1000.5))]]) : outputs,
    );
    expect(await selfTest(near, { probe, reference: real }, DEFAULT_TOLERANCE)).toBeNull();
  });

  it('compares float16 by value, quantised values to a step in few of them, and other types exactly', async () => {
    const out = (tensor: Tensor) =>
      lying((outputs) => (outputs.get('y')?.shape.join() === '4' ? new Map([['y', tensor]]) : outputs));
    const half = (...bits: number[]) => makeTensor('float16', [4], new Uint8Array(Uint16Array.from(bits).buffer));
    const ints = (...values: number[]) => makeTensor('int8', [4], new Uint8Array(Int8Array.from(values).buffer));
    const agree = (a: Tensor, b: Tensor) => selfTest(out(a), { probe, reference: out(b) }, DEFAULT_TOLERANCE);
    expect(await agree(half(0x3c00, 0, 0x8000, 1), half(0x3c00, 0x8000, 0, 2))).toBeNull();
    expect(await agree(half(0x3c00, 0, 0, 0), half(0x3c10, 0, 0, 0))).toMatchObject({ code: 'SELF_TEST_FAILED' });
    expect(await agree(half(0x7c00, 0x7e00, 0, 0), half(0x7c00, 0x7e00, 0, 0))).toBeNull();
    expect(await agree(ints(1, 2, 3, 4), ints(1, 2, 3, 4))).toBeNull();
    expect(await agree(ints(1, 2, 3, 4), ints(1, 2, 3, 5))).toBeNull();
    expect(await agree(ints(1, 2, 3, 4), ints(1, 2, 3, 6))).toMatchObject({ code: 'SELF_TEST_FAILED' });
    expect(await agree(ints(1, 2, 3, 4), ints(1, 2, 4, 5))).toMatchObject({ code: 'SELF_TEST_FAILED' });
    const labels = (...values: number[]) => makeTensor('int32', [4], new Uint8Array(Int32Array.from(values).buffer));
    expect(await agree(labels(1, 2, 3, 4), labels(1, 2, 3, 5))).toMatchObject({ code: 'SELF_TEST_FAILED' });
  });

  it('keeps the reason of a backend that cannot run', async () => {
    const broken: Backend = {
      name: 'none',
      load: () => Promise.reject(new KerfError('BACKEND_UNAVAILABLE', 'no adapter')),
      dispose: () => Promise.resolve(),
    };
    expect(await selfTest(broken, null, DEFAULT_TOLERANCE)).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  });
});
