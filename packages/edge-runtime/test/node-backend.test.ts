// The Node backends: onnxruntime-node and onnxruntime-web, in this thread and in a worker.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

  it('that cannot start its provider says so at the first load', async () => {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', executionProvider: 'nope' });
    await expect(backend.load({ bytes: slow })).rejects.toMatchObject({
      code: expect.stringMatching(/MODEL_UNSUPPORTED|BACKEND_/),
    });
    await backend.dispose();
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
