// The Node backends: onnxruntime-node and onnxruntime-web, in this thread and in a worker.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { describeBackend } from '../../../test/conformance/backend.ts';
import { nodeBackend } from '../src/node/node-backend.ts';

// ONNX Runtime 1.30 computes with 4-bit types inside a model, but no JavaScript build takes or gives such a tensor.
const without = ['int4', 'uint4'] as const;
for (const runtime of ['onnxruntime-node', 'onnxruntime-web'] as const) {
  describeBackend(`${runtime} in this thread`, () => nodeBackend({ runtime, inThisThread: true }), { without });
  describeBackend(`${runtime} in a worker`, () => nodeBackend({ runtime }), { without });
}

describe('a worker', () => {
  const size = 192;
  const slow = buildModel({
    nodes: Array.from({ length: 60 }, (_, index) => ({
      op: 'MatMul',
      inputs: [index === 0 ? 'x' : `t${index}`, 'x'],
      outputs: [index === 59 ? 'y' : `t${index + 1}`],
    })),
    inputs: [{ name: 'x', dtype: 'float32', shape: [size, size] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [size, size] }],
  });

  it('leaves the calling thread free while a model runs', async () => {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    const model = await backend.load({ bytes: slow });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const x = float32Tensor([size, size], new Float32Array(size * size).fill(0.01));
    for (let run = 0; run < 5; run++) await model.run(new Map([['x', x]]));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    await backend.dispose();
  });

  it('loads by path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-'));
    const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    try {
      await writeFile(join(folder, 'm.onnx'), slow);
      const model = await backend.load({ path: join(folder, 'm.onnx') });
      expect(model.inputs[0]?.shape).toEqual([size, size]);
      const error: unknown = await backend.load({ path: join(folder, 'none.onnx') }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'MODEL_UNSUPPORTED' });
      expect(String(error)).not.toContain(folder);
    } finally {
      await backend.dispose();
      await rm(folder, { recursive: true });
    }
  });

  it('gives no answer once weights beside a model were overwritten where they lie', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-'));
    const count = 1 << 14;
    const weights = (value: number) => float32Tensor([1, count], new Float32Array(count).fill(value));
    const data = join(folder, 'b.bin');
    const model = buildModel({
      nodes: [{ op: 'Add', inputs: ['x', 'b'], outputs: ['y'] }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, count] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, count] }],
      initializers: [{ name: 'b', tensor: weights(1), external: { location: 'b.bin', offset: 0 } }],
    });
    await writeFile(join(folder, 'm.onnx'), model);
    await writeFile(data, weights(1).data);
    const zero = new Map([['x', weights(0)]]);
    for (const inThisThread of [true, false]) {
      const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread });
      const load = () => backend.load({ path: join(folder, 'm.onnx') });
      const first = await load();
      const valueOf = async (loaded: typeof first): Promise<number> => {
        const y = (await loaded.run(zero)).get('y')!;
        return new DataView(y.data.buffer, y.data.byteOffset).getFloat32(0, true);
      };
      const value = await valueOf(first);
      // A file that is put in its place leaves what is mapped.
      await writeFile(`${data}.new`, weights(value).data);
      await rename(`${data}.new`, data);
      expect(await valueOf(first)).toBe(value);
      const second = await load();
      await writeFile(data, weights(value + 1).data);
      await expect(second.run(zero)).rejects.toMatchObject({ code: 'BACKEND_FAILED', message: /overwritten/ });
      await expect(second.run(zero)).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
      expect(await valueOf(await load())).toBe(value + 1);
      await backend.dispose();
    }
    await rm(folder, { recursive: true });
  });

  it('that cannot start its provider says so at the first load', async () => {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', executionProvider: 'nope' });
    await expect(backend.load({ bytes: slow })).rejects.toMatchObject({
      code: expect.stringMatching(/MODEL_UNSUPPORTED|BACKEND_/),
    });
    await backend.dispose();
  });

  it('that is ended in the middle of a run leaves the process alive', async () => {
    const x = float32Tensor([size, size], new Float32Array(size * size));
    for (let round = 0; round < 15; round++) {
      const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
      const model = await backend.load({ bytes: slow });
      const runs = Array.from({ length: 4 }, () => model.run(new Map([['x', x]])).catch((error: unknown) => error));
      await new Promise((resolve) => setTimeout(resolve, 3 * round));
      await backend.dispose();
      await Promise.all(runs);
    }
  });

  it('that is ended while it works fails what waits for it', async () => {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    const model = await backend.load({ bytes: slow });
    const x = float32Tensor([size, size], new Float32Array(size * size));
    const runs = Array.from({ length: 20 }, () => model.run(new Map([['x', x]])).catch((error: unknown) => error));
    await backend.dispose();
    for (const end of await Promise.all(runs))
      expect(end).toSatisfy((value) => value instanceof Map || (value as { code: string }).code === 'CLOSED');
  });
});
