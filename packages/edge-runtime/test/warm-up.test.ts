// A split with level tables, opened: its coder is compiled and has coded, before the first frame.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { encodeActivation, float32Tensor, type LevelTable, warmUpLevels, writeLevelTable } from '@kerf/protocol';
import { writeSplit, writeSplitCodec } from '@kerf/splitter/node';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { nodeBackend } from '../src/node/node-backend.ts';
import { openSplitFolder } from '../src/node/split-folder.ts';

const table: LevelTable = {
  id: '',
  channelAxis: 1,
  rank: 2,
  channels: Array.from({ length: 64 }, () => ({
    thresholds: Float32Array.of(0.5, 1.5),
    values: Float32Array.of(0, 1, 2),
  })),
  order: Array.from({ length: 64 }, (_, channel) => channel),
  groups: [64],
  priors: null,
  restoration: null,
  golden: null,
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('compiles once, at load; frames compile and instantiate nothing', async () => {
  const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [16, 64] });
  const bytes = buildModel({
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['mid'] },
      { op: 'Add', inputs: ['mid', 'mid'], outputs: ['y'] },
    ],
    inputs: [value('x')],
    outputs: [value('y')],
  });
  const path = join(folder, 'model.onnx');
  await writeFile(path, bytes);
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  await writeSplit({ model: await openModelFile(path), cut: ['mid'], folder: join(folder, 'split'), backend });
  const file = writeLevelTable(table);
  const known = { file: 'levels.klt', sha256: createHash('sha256').update(file).digest('hex'), bytes: file.byteLength };
  await writeSplitCodec(
    join(folder, 'split'),
    { kind: 'coded', tensors: [{ name: 'mid', codec: { kind: 'levels', table: known } }], calibration: null },
    new Map([[known.file, file]]),
  );
  const compile = vi.spyOn(WebAssembly, 'compile');
  const opened = await openSplitFolder(join(folder, 'split'), { backend });
  expect(compile).toHaveBeenCalledTimes(1);

  const made = { modules: 0, instances: 0 };
  vi.stubGlobal('WebAssembly', {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]),
    ),
    Module: () => made.modules++,
    Instance: () => made.instances++,
  });
  try {
    const codec = { kind: 'levels', table: opened.tables.get(known.sha256)! } as const;
    for (let frame = 0; frame < 3; frame++) {
      const activation = float32Tensor(
        [16, 64],
        Float32Array.from({ length: 1024 }, (_, at) => Math.sin(at) * 2),
      );
      expect(encodeActivation(activation, codec).codec.kind).toBe('levels');
    }
    expect(made).toEqual({ modules: 0, instances: 0 });
    expect(await warmUpLevels([table, table])).toEqual({ coder: 'webassembly', frames: 8 });
    expect(await warmUpLevels([])).toMatchObject({ frames: 0 });
  } finally {
    vi.unstubAllGlobals();
    await opened.dispose();
    await backend.dispose();
  }
});
