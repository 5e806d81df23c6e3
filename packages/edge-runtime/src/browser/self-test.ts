// A backend -> does it compute what is known to be right? A provider that is silently wrong must never judge a part.
import { buildModel } from '@kerf/onnx';
import {
  type Backend,
  disagreement,
  float32Tensor,
  KerfError,
  type ModelSource,
  makeTensor,
  messageOf,
  type Tensor,
  type TensorMap,
  type Tolerance,
} from '@kerf/protocol';

/** A model with a sample whose outputs another backend computes. */
export interface Probe {
  readonly model: ModelSource;
  readonly sample: TensorMap;
}

/** Different kernels add in different orders: about 1e-7 a step, and a head has a few dozen. */
export const DEFAULT_TOLERANCE: Tolerance = { absolute: 1e-3, relative: 1e-3 };

interface KnownCase {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: TensorMap;
  readonly expected: Tensor;
}

/** Small models with outputs that follow from arithmetic alone. */
function knownCases(): KnownCase[] {
  return [dequantize(), convolve(), multiply()];
}

/** (x - 7) * 0.05 over all of uint8: the operator that an older WebGPU provider got wrong without an error. */
function dequantize(): KnownCase {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value);
  return {
    name: 'DequantizeLinear of uint8',
    model: buildModel({
      nodes: [{ op: 'DequantizeLinear', inputs: ['x', 'scale', 'zero'], outputs: ['y'] }],
      inputs: [{ name: 'x', dtype: 'uint8', shape: [1, 4, 8, 8] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 4, 8, 8] }],
      initializers: [
        { name: 'scale', tensor: float32Tensor([], Float32Array.of(0.05)) },
        { name: 'zero', tensor: makeTensor('uint8', [], Uint8Array.of(7)) },
      ],
    }),
    inputs: new Map([['x', makeTensor('uint8', [1, 4, 8, 8], all)]]),
    expected: float32Tensor(
      [1, 4, 8, 8],
      Float32Array.from(all, (value) => (value - 7) * 0.05),
    ),
  };
}

/** Sums over 2x2 windows of 1 to 9, doubled by a second channel that is the first. */
function convolve(): KnownCase {
  const plane = Float32Array.from({ length: 9 }, (_, index) => index + 1);
  return {
    name: 'Conv',
    model: buildModel({
      nodes: [{ op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { kernel_shape: [2, 2] } }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2, 3, 3] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 1, 2, 2] }],
      initializers: [
        { name: 'w', tensor: float32Tensor([1, 2, 2, 2], new Float32Array(8).fill(1)) },
        { name: 'b', tensor: float32Tensor([1], Float32Array.of(0.5)) },
      ],
    }),
    inputs: new Map([['x', float32Tensor([1, 2, 3, 3], Float32Array.of(...plane, ...plane))]]),
    expected: float32Tensor([1, 1, 2, 2], Float32Array.of(24.5, 32.5, 48.5, 56.5)),
  };
}

function multiply(): KnownCase {
  return {
    name: 'MatMul',
    model: buildModel({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [2, 3] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [2, 2] }],
      initializers: [{ name: 'w', tensor: float32Tensor([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)) }],
    }),
    inputs: new Map([['x', float32Tensor([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))]]),
    expected: float32Tensor([2, 2], Float32Array.of(22, 28, 49, 64)),
  };
}

/**
 * Runs the known models on `backend`, then the probe on `backend` and `reference`.
 * @returns null when all agree, else why not: SELF_TEST_FAILED, or the code of what could not run.
 */
export async function selfTest(
  backend: Backend,
  probe: { readonly probe: Probe; readonly reference: Backend } | null,
  tolerance: Tolerance,
): Promise<KerfError | null> {
  try {
    for (const { name, model, inputs, expected } of knownCases()) {
      const outputs = await runOnce(backend, { bytes: model }, inputs);
      compare(`${name}: `, new Map([['y', expected]]), outputs, { absolute: 1e-4, relative: 1e-5 });
    }
    if (probe !== null) {
      const { model, sample } = probe.probe;
      const wanted = await runOnce(probe.reference, model, sample);
      compare("the session's model: ", wanted, await runOnce(backend, model, sample), tolerance);
    }
    return null;
  } catch (error) {
    return KerfError.from(error, 'SELF_TEST_FAILED', `the self-test could not run: ${messageOf(error)}`);
  }
}

async function runOnce(backend: Backend, source: ModelSource, inputs: TensorMap): Promise<TensorMap> {
  const model = await backend.load(source);
  try {
    return await model.run(inputs);
  } finally {
    await model.dispose();
  }
}

/** @throws {KerfError} SELF_TEST_FAILED naming the output and how far it is off. */
function compare(what: string, wanted: TensorMap, got: TensorMap, tolerance: Tolerance): void {
  for (const [name, expected] of wanted) {
    const found = got.get(name);
    const off = found === undefined ? Number.POSITIVE_INFINITY : disagreement(expected, found, tolerance);
    if (off > 0)
      throw new KerfError('SELF_TEST_FAILED', `${what}output '${name}' is off by ${off} beyond the tolerance`);
  }
}
