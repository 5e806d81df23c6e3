// Golden samples made by one runtime and checked by another: real models, ONNX Runtime on the CPU and in WebAssembly.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkGolden, type DeviceDisk, type GoldenClaim, type ReleaseManifest } from '@kerf/delta-sync';
import { folderDisk } from '@kerf/delta-sync/node';
import { PLAIN_PICTURES } from '@kerf/edge-runtime';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeGolden } from '../src/publish/golden.ts';

let folder: string;
let disk: DeviceDisk;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-golden-'));
  disk = await folderDisk(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeModel(file: string, weight: number): Promise<string> {
  const weights = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at) * weight);
  const bytes = buildModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Tanh', inputs: ['h'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 8] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 8] }],
    initializers: [{ name: 'w', tensor: float32Tensor([8, 8], weights) }],
  });
  await writeFile(join(folder, file), bytes);
  return join(folder, file);
}

async function claimOf(modelPath: string): Promise<GoldenClaim> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  try {
    const pictures = PLAIN_PICTURES;
    const made = await makeGolden({
      modelPath,
      backend,
      count: 3,
      samples: null,
      pictures,
      tolerance: 1e-3,
      runtime: '1.30.0',
    });
    await writeFile(join(folder, made.claim.file), made.bytes);
    return made.claim;
  } finally {
    await backend.dispose();
  }
}

function manifestOf(golden: GoldenClaim | null): ReleaseManifest {
  return { kind: 'model', golden, files: [{ name: 'model.onnx', role: 'model' }] } as unknown as ReleaseManifest;
}

async function check(
  golden: GoldenClaim | null,
  file: string,
  runtime: 'onnxruntime-node' | 'onnxruntime-web' = 'onnxruntime-node',
) {
  const backend = await nodeBackend({ runtime, inThisThread: true });
  try {
    return await checkGolden({
      slot: disk,
      manifest: manifestOf(golden),
      backend,
      open: async () => ({ path: join(folder, file) }),
    });
  } finally {
    await backend.dispose();
  }
}

test('the same answers pass, on this runtime and on another', async () => {
  const claim = await claimOf(await writeModel('a.onnx', 0.4));
  expect(claim).toMatchObject({ samples: 3, madeBy: expect.stringContaining('1.30.0') as string });
  expect(await check(claim, 'a.onnx')).toMatchObject({ samples: 3, values: 24, worst: 0 });
  expect((await check(claim, 'a.onnx', 'onnxruntime-web'))?.worst).toBeLessThan(0.1);
  expect(await check(null, 'a.onnx')).toBeNull();
});

test('a model whose answers are drawn by chance gets no golden samples', async () => {
  const bytes = buildModel({
    nodes: [
      { op: 'RandomUniformLike', inputs: ['x'], outputs: ['noise'] },
      { op: 'Add', inputs: ['x', 'noise'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 8] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 8] }],
  });
  await writeFile(join(folder, 'random.onnx'), bytes);
  await expect(claimOf(join(folder, 'random.onnx'))).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: expect.stringMatching(/another 'y' each time .*--golden 0/) as string,
  });
});

test('other answers, outputs that are missing, and samples that do not fit are refused', async () => {
  const claim = await claimOf(await writeModel('a.onnx', 0.4));
  await writeModel('slightly.onnx', 0.404);
  await expect(check(claim, 'slightly.onnx')).rejects.toMatchObject({
    code: 'GOLDEN_FAILED',
    message: expect.stringMatching(/differs .*sample \d, output 'y'/) as string,
    details: { why: { kind: 'golden-differs', output: 'y', times: expect.any(Number) as number } },
  });
  const other = buildModel({
    nodes: [{ op: 'Tanh', inputs: ['x'], outputs: ['z'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 8] }],
    outputs: [{ name: 'z', dtype: 'float32', shape: [1, 8] }],
  });
  await writeFile(join(folder, 'other.onnx'), other);
  await expect(check(claim, 'other.onnx')).rejects.toMatchObject({
    code: 'GOLDEN_FAILED',
    details: { why: { kind: 'golden-incomparable', sample: 0, output: 'y' } },
  });
  await writeFile(join(folder, claim.file), 'no samples');
  await expect(check(claim, 'a.onnx')).rejects.toMatchObject({ code: 'RELEASE_INVALID' });
});
