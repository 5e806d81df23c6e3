// Golden samples as a release's maker writes them, and as a cloud holds a release against them.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModelFolder, writeGolden } from '../src/index.ts';
import { client, serveModels } from './support/cloud.ts';
import { floats, rowsModel, temporaryFolder, writeModel, writeTail } from './support/models.ts';

const inputs = [1, 2].map((seed) => new Map([['x', floats([seed, 64], (i) => Math.fround(Math.sin(seed * 100 + i)))]]));

describe('golden samples', () => {
  it('of a whole model and of a tail are taken by a cloud', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'whole', rowsModel());
    const { pair } = writeTail(dir, 'tail', rowsModel());
    for (const id of ['whole', 'tail']) {
      const folder = join(dir, id);
      const bytes = await writeGolden({ folder, model: await openModelFolder(folder), inputs, tolerance: 1e-5 });
      expect(bytes).toBe(2 * 3 * 64 * 4);
    }
    const edge = await client(await serveModels(dir)).hello();
    await edge.open('whole', { session: 1 });
    await edge.open('tail', { session: 2, pair });
    // Another model in the place of the one that they were made with.
    writeModel(dir, 'other', { ...rowsModel(), initializers: [{ name: 'w', tensor: floats([64, 64], () => 1) }] });
    copyFileSync(join(dir, 'other/model.onnx'), join(dir, 'whole/model.onnx'));
    await expect(edge.open('whole', { session: 3 })).rejects.toMatchObject({ fault: { code: 'SELF_TEST_FAILED' } });
  });

  it('are not replaced without being asked, and a damaged one is refused', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'whole', rowsModel());
    const folder = join(dir, 'whole');
    const model = await openModelFolder(folder);
    // What a run that was ended has left is cleared away.
    mkdirSync(join(folder, '.kerf-golden-broken'));
    await writeGolden({ folder, model, inputs, tolerance: 0 });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    await expect(writeGolden({ folder, model, inputs, tolerance: 0 })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await writeGolden({ folder, model, inputs: inputs.slice(1), tolerance: 0, force: true });
    const file = join(folder, 'golden', '1.bin');
    const bytes = readFileSync(file);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const edge = await client(await serveModels(dir)).hello();
    await expect(edge.open('whole')).rejects.toMatchObject({ fault: { code: 'MANIFEST_INVALID' } });
  });

  it('need a model', async () => {
    await expect(openModelFolder(temporaryFolder())).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(openModelFolder(join(temporaryFolder(), 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
