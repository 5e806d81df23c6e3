// Level tables as a worker reads them before it says that its model is loaded.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LevelTable, writeLevelTable } from '@kerf/protocol';
import { expect, it, vi } from 'vitest';
import { readTables } from '../src/worker/level-tables.ts';
import { temporaryFolder } from './support/models.ts';

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
  const bytes = writeLevelTable(table);
  const path = join(dir, 'levels.klt');
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const compile = vi.spyOn(WebAssembly, 'compile');
  expect((await readTables([])).size).toBe(0);
  expect(compile).not.toHaveBeenCalled();
  const tables = await readTables([{ path, sha256, bytes: bytes.byteLength }]);
  expect(compile).toHaveBeenCalledTimes(1);
  expect([...tables.keys()]).toEqual([sha256]);
});

it('refuses level tables that are not those of the manifest', async () => {
  const path = join(temporaryFolder(), 'levels.klt');
  writeFileSync(path, writeLevelTable(table));
  const other = { path, sha256: '0'.repeat(64), bytes: writeLevelTable(table).byteLength };
  await expect(readTables([other])).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  await expect(readTables([{ ...other, path: `${path}.gone` }])).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
});
