// What another provider is forgiven and what not: real models with weights rounded as a GPU rounds them (TF32), and damaged ones.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readModel, weightRanges } from '@kerf/onnx';
import { type Backend, ortBackend } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostedModel } from '../src/worker/hosted-model.ts';
import { madeUpFault } from '../src/worker/self-test.ts';

/** With a mask in uint8; with scores in float; with a TopK, which chooses otherwise for the last bit. */
const MODELS: readonly (readonly [string, string, readonly number[]])[] = [
  ['surface', new URL('../../../models/files/surface-v1.onnx', import.meta.url).href, [1, 3, 384, 384]],
  ['M-LSD', import.meta.resolve('jp.keijiro.mlsd/ONNX/mlsd_320x320_tiny.onnx'), [1, 320, 320, 4]],
];

/** TensorProto.DataType. */
const FLOAT = 1;

let backend: Backend;
beforeAll(() => {
  backend = ortBackend({ name: 'cpu', ort, executionProviders: ['cpu'] });
});
afterAll(() => backend.dispose());

/** The model with its float32 weights changed. */
async function altered(url: string, shape: readonly number[], change: (weights: Float32Array, at: number) => void) {
  const bytes = new Uint8Array(readFileSync(fileURLToPath(url)));
  let count = 0;
  for (const { dataType, span } of weightRanges(readModel(bytes))) {
    // The few numbers of a resize or a scale are no weights.
    if (dataType !== FLOAT || span === null || span.end - span.start < 400) continue;
    const values = new Float32Array(bytes.slice(span.start, span.end).buffer);
    change(values, count++);
    bytes.set(new Uint8Array(values.buffer), span.start);
  }
  expect(count).toBeGreaterThan(10);
  const model = await backend.load({ bytes });
  const bound = model.inputs.map((input) => ({ ...input, shape }));
  return new HostedModel([{ ...model, inputs: bound, outputs: model.outputs, run: (x) => model.run(x) }], null);
}

const unchanged = (): void => {};

/** Ten bits of fraction, as tensor cores read a float32. */
function tf32(weights: Float32Array): void {
  const bits = new Uint32Array(weights.buffer);
  for (const [at, value] of bits.entries()) bits[at] = (value + 0x1000) & ~0x1fff;
}

describe.each(MODELS)('%s', (_, url, shape) => {
  it('passes with the rounding of a GPU', async () => {
    const cpu = await altered(url, shape, unchanged);
    expect(await madeUpFault(await altered(url, shape, tf32), cpu)).toBeNull();
  });

  it.each<[string, (weights: Float32Array, at: number) => void]>([
    ['a layer with its sign turned', (weights, at) => void (at === 6 && weights.forEach((w, i) => (weights[i] = -w)))],
    ['zeros', (weights) => void weights.fill(0)],
    ['not numbers', (weights, at) => void (at === 4 && weights.fill(Number.NaN))],
  ])('does not pass with %s', async (_name, change) => {
    const cpu = await altered(url, shape, unchanged);
    expect(await madeUpFault(await altered(url, shape, change), cpu)).toMatch(/is off the CPU provider's by/);
  });
});
