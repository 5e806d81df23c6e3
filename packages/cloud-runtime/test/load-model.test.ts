// What a worker does before it says that its model is loaded.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { type LevelTable, writeLevelTable } from '@kerf/protocol';
import { expect, it, vi } from 'vitest';
import { loadModel } from '../src/worker/load-model.ts';
import { identityModel, temporaryFolder } from './support/models.ts';

const table: LevelTable = {
  id: '',
  channelAxis: 1,
  rank: 2,
  channels: [{ thresholds: Float32Array.of(0.5), values: Float32Array.of(0, 1) }],
  order: [0],
  groups: [1],
  priors: null,
  restoration: null,
  golden: null,
};

it('compiles the coder of level tables where the model has some, and only there', async () => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'model.onnx'), buildModel(identityModel()));
  const bytes = writeLevelTable(table);
  writeFileSync(join(dir, 'levels.klt'), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const request = {
    type: 'load',
    paths: [join(dir, 'model.onnx')],
    entries: null,
    files: [],
    providers: ['cpu'],
    threads: 1,
    optimizationLevel: 'all',
    maxDecodedImageBytes: 1 << 20,
    maxDecodedBytes: 1 << 20,
    tables: [],
    golden: null,
    warmUp: { maxRows: 1, budgetMs: 0 },
  } as const;
  const compile = vi.spyOn(WebAssembly, 'compile');
  await loadModel(request);
  expect(compile).not.toHaveBeenCalled();
  const { tables } = await loadModel({
    ...request,
    tables: [{ path: join(dir, 'levels.klt'), sha256, bytes: bytes.byteLength }],
  });
  expect(compile).toHaveBeenCalledTimes(1);
  expect([...tables.keys()]).toEqual([sha256]);
});
