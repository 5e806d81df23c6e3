// Chains over real sockets: every cut gives what the whole model gives, cuts batch together, wrong ones are refused.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildModel, buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { type ChainManifest, chainPair, divisionNames, ortBackend, type Tensor } from '@kerf/protocol';
import { ChainPart } from '@kerf/splitter';
import { writeChain } from '@kerf/splitter/node';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { payload, type TestClient } from './support/client.ts';
import { client, serveModels } from './support/cloud.ts';
import { floats, temporaryFolder } from './support/models.ts';

const direct = ortBackend({ name: 'direct', ort, executionProviders: ['cpu'] });
const sample = (seed: number): Tensor => floats([1, 64], (i) => Math.fround(Math.sin(seed * 1000 + i)));

/** Three products with a weight that the first and the last share, and a value of the first that the last needs too. */
function model(): BuildModel {
  return {
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Relu', inputs: ['a'], outputs: ['b'] },
      { op: 'MatMul', inputs: ['b', 'v'], outputs: ['c'] },
      { op: 'Relu', inputs: ['c'], outputs: ['d'] },
      { op: 'MatMul', inputs: ['d', 'w'], outputs: ['e'] },
      { op: 'Add', inputs: ['e', 'b'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 64] }],
    outputs: [
      { name: 'y', dtype: 'float32', shape: ['N', 64] },
      { name: 'b', dtype: 'float32', shape: ['N', 64] },
    ],
    initializers: ['w', 'v'].map((name, at) => ({
      name,
      tensor: floats([64, 64], (i) => Math.fround(Math.sin(i + at) / 8)),
    })),
  };
}

interface Served {
  readonly dir: string;
  readonly manifest: ChainManifest;
  readonly whole: string;
}

async function chainFolder(): Promise<Served> {
  const dir = temporaryFolder();
  const whole = join(temporaryFolder(), 'whole.onnx');
  writeFileSync(whole, buildModel(model() as Parameters<typeof buildModel>[0]));
  const written = await writeChain({
    model: await openModelFile(whole),
    cuts: [['b'], ['b', 'd']],
    folder: join(dir, 'line/part'),
    backend: direct,
  });
  return { dir, manifest: written.manifest, whole };
}

/** What an edge that runs `at` segments sends: the tensors of the cut. */
async function crossing({ dir, manifest }: Served, at: number, x: Tensor): Promise<Map<string, Tensor>> {
  const models = await Promise.all(
    manifest.segments.map(({ file }) => direct.load({ path: join(dir, 'line/part', file) })),
  );
  const made = await new ChainPart(manifest, models, 0, at).run(new Map([['x', x]]));
  const all = new Map([['x', x], ...made]);
  await Promise.all(models.map((one) => one.dispose()));
  return new Map(divisionNames(manifest, at).cut.map((name) => [name, all.get(name) as Tensor]));
}

async function reference(whole: string, x: Tensor): Promise<ReadonlyMap<string, Tensor>> {
  const loaded = await direct.load({ path: whole });
  const outputs = await loaded.run(new Map([['x', x]]));
  await loaded.dispose();
  return outputs;
}

async function openCuts(edge: TestClient, served: Served): Promise<void> {
  for (const at of served.manifest.segments.keys()) {
    await edge.open('line/part', { session: at + 1, pair: await chainPair(served.manifest, at) });
  }
}

describe('a chain', () => {
  it('answers at every cut what the whole model answers, bit for bit, from one worker', async () => {
    const served = await chainFolder();
    expect(served.manifest.sharedData).not.toBeNull();
    const cloud = await serveModels(served.dir);
    const edge = await client(cloud).hello();
    await openCuts(edge, served);
    expect(
      edge.all('opened').map(({ inputs, outputs }) => [inputs, outputs].map((all) => all.map(({ name }) => name))),
    ).toEqual([
      [['x'], ['b', 'y']],
      [['b'], ['y']],
      [['b', 'd'], ['y']],
    ]);
    expect(cloud.workerPids).toHaveLength(1);
    const x = sample(1);
    const want = await reference(served.whole, x);
    for (const at of served.manifest.segments.keys()) {
      const tensors = [...(await crossing(served, at, x))].map(([name, tensor]) => payload(name, tensor));
      edge.frame(7, tensors, { session: at + 1 });
      await edge.until(() => edge.answersOf(7, at + 1).length > 0);
      const [answer] = edge.answersOf(7, at + 1);
      if (answer?.type !== 'result') throw new Error(JSON.stringify(answer));
      for (const { name, bytes } of answer.tensors) {
        expect(Buffer.compare(bytes, want.get(name)?.data ?? new Uint8Array())).toBe(0);
      }
    }
  });

  it('is opened whole with no pair at all', async () => {
    const served = await chainFolder();
    const edge = await client(await serveModels(served.dir, { preload: ['line/part'] })).hello();
    const { inputs, identity } = await edge.open('line/part');
    expect(identity).toBe((await openModelFile(served.whole)).sha256);
    expect(inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 64] }]);
    edge.frame(1, [payload('x', sample(3))]);
    const want = await reference(served.whole, sample(3));
    const { tensors } = await edge.result(1);
    expect(tensors.map(({ name }) => name)).toEqual(['b', 'y']);
    expect(Buffer.compare(tensors[1]?.bytes ?? new Uint8Array(), want.get('y')?.data ?? new Uint8Array())).toBe(0);
  });

  it('batches frames of different cuts in the segments that they share', async () => {
    const served = await chainFolder();
    const cloud = await serveModels(served.dir, { batching: { maxDelayMs: 100, tolerance: 1e-5, maxTimeShare: 1000 } });
    const edges = await Promise.all([0, 1, 2].map(() => client(cloud).hello()));
    await Promise.all(
      edges.map(async (edge, at) => edge.open('line/part', { pair: await chainPair(served.manifest, at) })),
    );
    const inputs = await Promise.all(
      edges.map(async (_edge, at) =>
        Promise.all([1, 2, 3, 4].map((seed) => crossing(served, at, sample(10 * at + seed)))),
      ),
    );
    const rowsSeen = new Set<number>();
    for (let round = 0; round < 40 && !rowsSeen.has(12); round++) {
      for (const index of [0, 1, 2, 3]) {
        edges.forEach((edge, at) =>
          edge.frame(
            10 * round + index,
            [...(inputs[at]?.[index] ?? [])].map(([name, tensor]) => payload(name, tensor)),
          ),
        );
      }
      for (const index of [0, 1, 2, 3]) {
        for (const [at, edge] of edges.entries()) {
          const { tensors, spans } = await edge.result(10 * round + index);
          rowsSeen.add(spans.batchRows);
          const want = await reference(served.whole, sample(10 * at + index + 1));
          const got = tensors.find(({ name }) => name === 'y')?.bytes ?? new Uint8Array();
          const wanted = new Float32Array((want.get('y')?.data ?? new Uint8Array()).slice().buffer);
          new Float32Array(got.slice().buffer).forEach((value, i) =>
            expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThanOrEqual(2e-5),
          );
        }
      }
    }
    expect(Math.max(...rowsSeen)).toBeGreaterThan(4);
    expect(cloud.events.filter(({ event }) => event === 'batching-off')).toEqual([]);
  });

  it('of another make, or divided where nothing is left for the cloud, is refused', async () => {
    const served = await chainFolder();
    const edge = await client(await serveModels(served.dir)).hello();
    const other = { ...served.manifest, chain: '0'.repeat(64) };
    await expect(edge.open('line/part', { pair: await chainPair(other, 1) })).rejects.toMatchObject({
      fault: { code: 'PAIR_MISMATCH' },
    });
    await expect(chainPair(served.manifest, 3)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const text = readFileSync(join(served.dir, 'line/part/chain.json'), 'utf8');
    writeFileSync(join(served.dir, 'line/part/chain.json'), text.replaceAll(served.manifest.chain, '1'.repeat(64)));
    await expect(edge.open('line/part', { session: 2 })).rejects.toMatchObject({ fault: { code: 'MANIFEST_INVALID' } });
  });

  it('with a changed segment is refused, and its segments are no models of their own', async () => {
    const served = await chainFolder();
    const file = join(served.dir, 'line/part/segment-1.onnx');
    const edge = await client(await serveModels(served.dir)).hello();
    await expect(edge.open('line/part/segment-1')).rejects.toMatchObject({ fault: { code: 'MODEL_NOT_FOUND' } });
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(edge.open('line/part', { session: 2 })).rejects.toMatchObject({ fault: { code: 'MANIFEST_INVALID' } });
  });
});
