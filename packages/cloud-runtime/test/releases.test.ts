// Numbered releases over real sockets: the newest that is ready serves, golden samples decide, old ones serve who has them.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { payload, type TestClient } from './support/client.ts';
import { client, serveModels, type TestCloud } from './support/cloud.ts';
import { floats, identityModel, oneToOne, temporaryFolder, writeModel, writeTail } from './support/models.ts';

/** y = x * factor, so that an answer tells which release gave it. */
const times = (factor: number): ReturnType<typeof oneToOne> =>
  oneToOne([{ op: 'Mul', inputs: ['x', 'f'], outputs: ['y'] }], ['N', 4], {
    initializers: [{ name: 'f', tensor: floats([1], () => factor) }],
  });
const ones = floats([1, 4], () => 1);

async function factorOf(edge: TestClient, frame: number, session: number): Promise<number> {
  edge.frame(frame, [payload('x', ones)], { session });
  await edge.until(() => edge.answersOf(frame, session).length > 0);
  const [answer] = edge.answersOf(frame, session);
  if (answer?.type !== 'result') throw new Error(JSON.stringify(answer));
  return new Float32Array(answer.tensors[0]!.bytes.slice().buffer)[0]!;
}

const isReady = (cloud: TestCloud, version: string): boolean =>
  cloud.events.some((event) => event.event === 'model-ready' && event['version'] === version);

async function until(done: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 30_000; !done(); ) {
    if (Date.now() > endMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function writeGolden(folder: string, input: Tensor, output: Tensor, more: object = {}): void {
  const dir = join(folder, 'golden');
  mkdirSync(dir, { recursive: true });
  const entry = (name: string, file: string, { dtype, shape, data }: Tensor): object => {
    writeFileSync(join(dir, file), data);
    return { name, dtype, shape, file, sha256: createHash('sha256').update(data).digest('hex') };
  };
  const sample = { inputs: [entry('x', 'x.bin', input)], outputs: [entry('y', 'y.bin', output)] };
  writeFileSync(
    join(dir, 'golden.json'),
    JSON.stringify({ format: 'kerf-golden/1', tolerance: 1e-5, samples: [sample], ...more }),
  );
}

describe('releases', () => {
  it('swap without a gap: the old one serves until the new one is ready, and whoever has it longer', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'part/1', times(1));
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    await edge.open('part', { session: 1 });
    expect(await factorOf(edge, 1, 1)).toBe(1);
    writeModel(dir, 'part/2', times(2));
    // Opens at once, with what is ready.
    await edge.open('part', { session: 2 });
    await until(() => isReady(cloud, '2'));
    await edge.open('part', { session: 3 });
    expect(await factorOf(edge, 1, 3)).toBe(2);
    expect(await factorOf(edge, 2, 1)).toBe(1);
    expect(cloud.workerPids).toHaveLength(2);
    for (const session of [1, 2]) edge.send({ type: 'close', session });
    await until(() => cloud.workerPids.length === 1);
    expect(await factorOf(edge, 2, 3)).toBe(2);
    await edge.open('part/1', { session: 4 });
    expect(await factorOf(edge, 1, 4)).toBe(1);
  });

  it('of a preloaded model are found by themselves', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'part/9', times(9));
    const cloud = await serveModels(dir, { preload: ['part'], limits: { releasePollMs: 50 } });
    writeModel(dir, 'part/10', times(10));
    await until(() => cloud.events.some(({ event }) => event === 'release-swapped'));
    expect(cloud.events.find(({ event }) => event === 'release-swapped')).toMatchObject({ from: '9', to: '10' });
    await until(() => cloud.workerPids.length === 1);
    rmSync(join(dir, 'part'), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(cloud.workerPids).toHaveLength(1);
  });

  it('that fail their golden samples are refused, and the one before serves on', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'part/1', times(1));
    const cloud = await serveModels(dir);
    const edge = await client(cloud).hello();
    await edge.open('part', { session: 1 });
    writeModel(dir, 'part/2', times(2));
    writeGolden(
      join(dir, 'part/2'),
      ones,
      floats([1, 4], () => 3),
    );
    await edge.open('part', { session: 2 });
    await until(() => cloud.events.some(({ event }) => event === 'model-refused'));
    expect(cloud.events.find(({ event }) => event === 'model-refused')).toMatchObject({
      model: 'part',
      version: '2',
      code: 'SELF_TEST_FAILED',
    });
    await edge.open('part', { session: 3 });
    expect(await factorOf(edge, 1, 3)).toBe(1);
    await expect(edge.open('part/2', { session: 4 })).rejects.toMatchObject({ fault: { code: 'SELF_TEST_FAILED' } });
    // Also when nothing of the model is loaded yet.
    const fresh = await client(await serveModels(dir)).hello();
    await fresh.open('part', { session: 1 });
    expect(await factorOf(fresh, 1, 1)).toBe(1);
    // And with the right samples it is taken.
    writeGolden(
      join(dir, 'part/2'),
      ones,
      floats([1, 4], () => 2),
    );
    await fresh.open('part/2', { session: 5 });
    expect(await factorOf(fresh, 1, 5)).toBe(2);
  });

  it('have golden samples that are what they say, or are refused', async () => {
    const dir = temporaryFolder();
    const edge = await client(await serveModels(dir)).hello();
    const wrong: Record<string, object> = {
      format: { format: 'other' },
      none: { samples: [] },
      path: { samples: [{ inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4], file: '../x.bin' }], outputs: [] }] },
      dtype: { samples: [{ inputs: [{ name: 'x', dtype: 'colour', shape: [1, 4], file: 'x.bin' }], outputs: [] }] },
      missing: { samples: [{ inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4], file: 'z.bin' }], outputs: [] }] },
      hash: {
        samples: [
          { inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4], file: 'x.bin', sha256: '0' }], outputs: [] },
        ],
      },
    };
    let session = 1;
    for (const [name, more] of Object.entries(wrong)) {
      writeModel(dir, name, times(1));
      writeGolden(join(dir, name), ones, ones, more);
      await expect(edge.open(name, { session: session++ }), name).rejects.toMatchObject({
        fault: { code: 'MANIFEST_INVALID' },
      });
    }
  });

  it('of a split are found by their pair: an old head gets its own tail', async () => {
    const dir = temporaryFolder();
    const old = writeTail(dir, 'part/1', times(1));
    const fresh = writeTail(dir, 'part/2', times(2));
    const edge = await client(await serveModels(dir)).hello();
    await edge.open('part', { session: 1, pair: old.pair });
    await edge.open('part', { session: 2, pair: fresh.pair });
    expect([await factorOf(edge, 1, 1), await factorOf(edge, 1, 2)]).toEqual([1, 2]);
    await expect(edge.open('part', { session: 3, pair: '0'.repeat(64) })).rejects.toMatchObject({
      fault: { code: 'PAIR_MISMATCH' },
    });
    await expect(edge.open('part', { session: 4 })).rejects.toMatchObject({ fault: { code: 'PAIR_MISMATCH' } });
  });

  it('are no releases where the folder above is a model itself', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'part', times(5));
    writeModel(dir, 'part/7', times(7));
    const edge = await client(await serveModels(dir)).hello();
    await edge.open('part', { session: 1 });
    expect(await factorOf(edge, 1, 1)).toBe(5);
  });
});

describe('providers', () => {
  it('that the platform has not are passed over and named', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'same', identityModel(['N', 4]));
    const cloud = await serveModels(dir, { providers: ['CoreML', 'tensorrt', 'cpu'], preload: ['same'] });
    const demoted = cloud.events.filter(({ event }) => event === 'provider-demoted');
    expect(demoted.map(({ provider }) => provider)).toEqual(['coreml', 'tensorrt']);
    expect(demoted[0]).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect(cloud.events.find(({ event }) => event === 'worker-ready')).toMatchObject({ provider: 'cpu' });
    await expect(serveModels(dir, { providers: ['gpu'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('are all named when none serves', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'same', identityModel(['N', 4]));
    await expect(serveModels(dir, { providers: ['coreml', 'dml'], preload: ['same'] })).rejects.toThrow(/coreml.*dml/);
  });
});
