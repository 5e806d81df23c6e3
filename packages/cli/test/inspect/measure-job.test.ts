// A measurement in a thread, cancelled while ONNX Runtime is at work in it: the station around it goes on.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MeasureJob } from '../../src/inspect/cut/measure-job.ts';

const MODEL = fileURLToPath(new URL('../../../../models/files/surface-lite.onnx', import.meta.url));

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-measure-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a measurement that is cancelled in the middle of a run ends, and leaves nothing', async () => {
  for (const afterMs of [500, 1500, 1530, 1560, 1590]) {
    const target = join(folder, 'profile.json');
    const job = new MeasureJob({ modelPath: MODEL, target, provider: 'cpu', threads: 1, picture: null });
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await job.cancel();
    expect(await job.ended).toBeNull();
  }
  expect(await readdir(folder)).toEqual([]);
});
