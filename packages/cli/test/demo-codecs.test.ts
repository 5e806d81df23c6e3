// The codecs that the demo uses: of the committed models, with tables that the codec reads and that are the ones named.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModelFile } from '@kerf/onnx/node';
import { readLevelTable } from '@kerf/protocol';
import { listCuts, parseCodecProfile } from '@kerf/splitter';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CODECS = join(ROOT, 'demo', 'codecs');

test.each(['surface-v1', 'surface-narrow'])('%s', async (id) => {
  const folder = join(CODECS, id);
  const profile = parseCodecProfile(JSON.parse(await readFile(join(folder, 'codecs.json'), 'utf8')));
  const { graph, sha256 } = await openModelFile(join(ROOT, 'models', 'files', `${id}.onnx`));
  expect(profile.model.sha256, 'calibrate again: the model was trained anew').toBe(sha256);
  const cuts = listCuts(graph).map(({ tensors, inputs }) => [...tensors, ...inputs].sort().join());
  const used = new Set(['codecs.json']);
  for (const { tensors, lossPoints } of profile.entries) {
    expect(cuts).toContain(
      tensors
        .map(({ name }) => name)
        .sort()
        .join(),
    );
    expect(lossPoints).toBeLessThanOrEqual(0.5);
    for (const { codec } of tensors) {
      if (codec.kind !== 'levels') continue;
      const bytes = await readFile(join(folder, codec.table.file));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(codec.table.sha256);
      expect(readLevelTable(bytes, codec.table.sha256).channels.length).toBeGreaterThan(1);
      used.add(codec.table.file);
    }
  }
  expect((await readdir(folder)).toSorted()).toEqual([...used].sort());
});
