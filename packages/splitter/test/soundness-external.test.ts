// A model whose weights lie gigabytes apart in a sparse file -> head and tail with their own few bytes; nothing is loaded whole.
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BuildInitializer, type BuildNode, buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listCuts, planCut } from '../src/index.ts';
import { openSplit, verifySplit, writeSplit } from '../src/node.ts';
import { add, cpu, float, relu } from './models.ts';

const GIB = 1024 ** 3;
const backend = cpu(ort);

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-far-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A file of `bytes` that takes no more room than what is written at the offsets. */
async function sparseFile(name: string, bytes: number, parts: ReadonlyMap<number, Float32Array>): Promise<void> {
  const file = await open(path.join(root, name), 'w');
  try {
    await file.truncate(bytes);
    for (const [offset, values] of parts) await file.write(viewBytes(values), 0, values.byteLength, offset);
  } finally {
    await file.close();
  }
}

const outside = (name: string, offset: number, count = 2): BuildInitializer => ({
  name,
  tensor: { dtype: 'float32', shape: [count], data: new Uint8Array(0) },
  external: { location: 'far.bin', offset, length: count * 4 },
});

async function modelFile(nodes: readonly BuildNode[], initializers: readonly BuildInitializer[]) {
  const file = path.join(root, 'model.onnx');
  await writeFile(file, buildModel({ nodes, inputs: [float('x')], outputs: [float('y')], initializers }));
  return await openModelFile(file);
}

test('weights behind 2 and 4 GiB, one of them on both sides', async () => {
  await sparseFile(
    'far.bin',
    5 * GIB,
    new Map([
      [2.25 * GIB, Float32Array.of(0.5, -3)],
      [4.5 * GIB, Float32Array.of(7, 0.125)],
      [5 * GIB - 8, Float32Array.of(-1, 2)],
    ]),
  );
  const model = await modelFile(
    [add('x', 'first', 'a'), relu('a', 'b'), add('b', 'shared', 'c'), add('c', 'second', 'd'), add('d', 'shared', 'y')],
    [outside('first', 2.25 * GIB), outside('shared', 4.5 * GIB), outside('second', 5 * GIB - 8)],
  );
  for (const { tensors } of listCuts(model.graph)) {
    const folder = path.join(root, tensors.join());
    await writeSplit({ model, cut: tensors, folder, backend });
    const { manifest } = await openSplit(folder);
    expect(manifest.tail.externalData?.bytes).toBeLessThan(1024 * 1024);
    const report = await verifySplit({ model, folder, backend });
    expect(report.verdict, tensors.join()).toBe('bit-equal');
  }
  const head = await readFile(path.join(root, 'c', 'head.onnx.data'));
  const tail = await readFile(path.join(root, 'c', 'tail.onnx.data'));
  const has = (file: Buffer, ...values: number[]): boolean =>
    file.includes(Buffer.from(viewBytes(Float32Array.from(values))));
  expect([has(head, 0.5, -3), has(head, 7, 0.125), has(head, -1, 2)]).toEqual([true, true, false]);
  expect([has(tail, 0.5, -3), has(tail, 7, 0.125), has(tail, -1, 2)]).toEqual([false, true, true]);
});

test('a model with a weight of 3 GiB is opened and cut without reading it', async () => {
  const count = (3 * GIB) / 4;
  await sparseFile('far.bin', 3 * GIB, new Map());
  const before = process.memoryUsage().rss;
  const model = await modelFile(
    [
      relu('x', 'a'),
      { op: 'Gather', inputs: ['huge', 'at'], outputs: ['part'] },
      add('a', 'part', 'b'),
      relu('b', 'y'),
    ],
    [
      outside('huge', 0, count),
      { name: 'at', tensor: { dtype: 'int64', shape: [2], data: viewBytes(BigInt64Array.of(0n, 9n)) } },
    ],
  );
  expect(listCuts(model.graph).map(({ tensors }) => tensors)).toEqual([['a'], ['b']]);
  expect(planCut(model.graph, ['b']).head).toHaveLength(2);
  expect(process.memoryUsage().rss - before).toBeLessThan(GIB);
});

test('a range that ends beyond its file is refused, at 2 GiB and more as well', async () => {
  await sparseFile('far.bin', 2.25 * GIB, new Map());
  expect((await stat(path.join(root, 'far.bin'))).size).toBe(2.25 * GIB);
  const attempt = modelFile([add('x', 'w', 'a'), relu('a', 'y')], [outside('w', 2.25 * GIB - 4)]);
  await expect(attempt).rejects.toMatchObject({ code: 'EXTERNAL_DATA' });
});
