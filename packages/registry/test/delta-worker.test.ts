// The process that makes a delta which a device asked for.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FormatVersion } from '@kerf/delta-sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobFile } from '../src/deltas/jobs.ts';
import { runDeltaWorker } from '../src/deltas/run-worker.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kerf-delta-worker-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, by: number): Promise<JobFile> {
  const place = path.join(folder, name);
  await writeFile(
    place,
    Int32Array.from({ length: 6000 }, (_, at) => (Math.imul(at, 0x9e37_79b1) >> 4) + by),
  );
  return { path: place, name: 'table.bin', sha256: '0'.repeat(64), model: null };
}

test.each<readonly [FormatVersion | null, number]>([
  [null, 2],
  [1, 1],
])('where the newest format is to be %s, it makes one of version %i', async (format, version) => {
  const out = path.join(folder, `delta-${version}`);
  const job = { base: await file('old', 0), target: await file('new', 4321), out, format };
  const bytes = await runDeltaWorker(job, {
    memoryMib: 512,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const delta = await readFile(out);
  expect([delta.byteLength, delta[7]]).toEqual([bytes, version]);
});
