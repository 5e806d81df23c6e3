// Model files beyond 64 MiB: their weights stay on disk, and nobody can tell by what comes out.
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatChunks, extract, hollowPlaces, openModel, rewriteModel } from '../src/index.ts';
import { openModelFile, readChunks, writeModelFile } from '../src/node.ts';
import { type Chunks, intField, messageField, stringField } from '../src/wire-writer.ts';
import { kerfError, model } from './models.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = (name: string) => path.join(folder, name);
const MIB = 1024 * 1024;

/** TensorProto of bytes: uint8, or as many int64. */
const tensor = (data: Uint8Array, name = '', dataType = 2): Chunks => [
  intField(1, dataType === 7 ? data.byteLength / 8 : data.byteLength),
  intField(2, dataType),
  ...(name === '' ? [] : [stringField(8, name)]),
  ...messageField(9, [data]),
];
const initializer = (data: Uint8Array, name: string): Chunks => messageField(5, tensor(data, name));
const constant = (data: Uint8Array, output: string): Chunks =>
  messageField(1, [
    stringField(2, output),
    stringField(4, 'Constant'),
    ...messageField(5, [stringField(1, 'value'), ...messageField(5, tensor(data)), intField(20, 4)]),
  ]);
const counted = (length: number, seed: number) => new Uint8Array(length).map((_, at) => (at * 31 + seed) % 251);

const chain = model([
  { op: 'Add', inputs: ['x', 'a'], outputs: ['h'] },
  { op: 'Add', inputs: ['h', 'b'], outputs: ['i'] },
  { op: 'Add', inputs: ['i', 'c'], outputs: ['y'] },
]);

/** Writes chunks; those of a MiB and more, when `sparsely`, as holes. */
async function write(name: string, chunks: Chunks, sparsely = false): Promise<string> {
  const handle = await open(inFolder(name), 'w');
  let at = 0;
  for (const chunk of chunks) {
    if (!sparsely || chunk.byteLength < MIB) await handle.write(chunk, 0, chunk.byteLength, at);
    at += chunk.byteLength;
  }
  await handle.truncate(at);
  await handle.close();
  return inFolder(name);
}

/** Large weights as initializers and in a node, with a small one between. */
const weights = (): Chunks =>
  messageField(7, [
    ...initializer(counted(40 * MIB, 1), 'a'),
    ...initializer(counted(1000, 2), 'b'),
    ...constant(counted(30 * MIB, 3), 'c'),
  ]);

describe('a model beyond 64 MiB', () => {
  test('is read, hashed and extracted as if it were read whole', async () => {
    const file = await write('model.onnx', [chain, ...weights()]);
    const whole = new Uint8Array(await readFile(file));
    const opened = await openModelFile(file);
    expect(opened).toMatchObject({
      bytes: whole.byteLength,
      sha256: createHash('sha256').update(whole).digest('hex'),
    });
    const graph = openModel(whole);
    for (const [input, output] of [
      ['x', 'h'],
      ['h', 'y'],
    ] as const) {
      const expected = concatChunks(extract(graph, { inputs: [input], outputs: [output] }).chunks);
      const extracted = extract(opened.graph, { inputs: [input], outputs: [output] });
      const written = await writeModelFile(extracted, inFolder('part.onnx'), opened.externalFiles, 'part.data');
      expect(written.bytes).toBe(expected.byteLength);
      expect(written.sha256).toBe(createHash('sha256').update(expected).digest('hex'));
      expect(Buffer.compare(await readChunks(extracted.chunks), expected)).toBe(0);
    }
  });

  test('that changed since it was read is not copied from', async () => {
    const file = await write('model.onnx', [chain, ...weights()]);
    const { graph, externalFiles } = await openModelFile(file);
    const { atime, mtimeMs } = await stat(file);
    await utimes(file, atime, new Date(mtimeMs + 5000));
    const extracted = extract(graph, { inputs: ['x'], outputs: ['h'] });
    await expect(writeModelFile(extracted, inFolder('part.onnx'), externalFiles, 'd')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/was changed/),
    });
  });

  test('may say an initializer twice when it is the same', async () => {
    const twice = (last: number): Chunks => {
      const other = counted(40 * MIB, 1);
      other[other.length - 1] = last;
      return messageField(7, [
        ...initializer(counted(40 * MIB, 1), 'a'),
        ...initializer(other, 'a'),
        ...initializer(counted(9, 1), 'b'),
        ...initializer(counted(9, 1), 'c'),
      ]);
    };
    const same = counted(40 * MIB, 1).at(-1) ?? 0;
    expect((await openModelFile(await write('same.onnx', [chain, ...twice(same)]))).graph.nodes).toHaveLength(3);
    await expect(openModelFile(await write('other.onnx', [chain, ...twice(same + 1)]))).rejects.toMatchObject({
      code: 'MODEL_MALFORMED',
      message: expect.stringMatching(/two initializers with different values/),
    });
  });

  test.each([
    ['a field cut short', [Uint8Array.of(0x2a, 0x7f)]],
    ['an unknown wire type', [Uint8Array.of(0x0f)]],
    ['a tensor of the wrong size', messageField(5, [intField(1, 70), ...tensor(counted(MIB, 1), 'd')])],
    ['a group without end', [Uint8Array.of(0x93, 0x01)]],
  ])('with %s behind its weights is refused in the same words', async (_, damage) => {
    const chunks = [chain, ...messageField(7, [...initializer(new Uint8Array(80 * MIB), 'a'), ...damage])];
    const file = await write('model.onnx', chunks, true);
    const expected = kerfError(() => openModel(concatChunks(chunks)));
    await expect(openModelFile(file)).rejects.toMatchObject({ code: expected.code, message: expected.message });
  });

  test('takes no memory for its weights', async () => {
    const file = await write(
      'model.onnx',
      [
        chain,
        ...messageField(7, [
          ...initializer(new Uint8Array(600 * MIB), 'a'),
          ...initializer(counted(9, 1), 'b'),
          ...constant(new Uint8Array(200 * MIB), 'c'),
        ]),
      ],
      true,
    );
    const before = process.memoryUsage().rss;
    const { graph } = await openModelFile(file);
    expect(graph.nodes).toHaveLength(4);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
  });
});

describe('a model without its weights', () => {
  const large = new Uint8Array(MIB);
  const branch = (op: string) => ({
    graph: { nodes: [{ op, inputs: ['captured'], outputs: ['o'] }], outputs: [{ name: 'o' }] },
  });
  const graphWith = (captures: string) =>
    openModel(
      concatChunks([
        model(
          [
            { op: 'MatMul', inputs: ['x', 'product'], outputs: ['m'] },
            { op: 'Transpose', inputs: ['turned'], outputs: ['t'] },
            { op: 'MatMul', inputs: ['m', 't'], outputs: ['n'] },
            { op: 'NonZero', inputs: ['counted'], outputs: ['k'] },
            { op: 'ReduceMax', inputs: ['reduced'], outputs: ['r'] },
            { op: 'Cast', inputs: ['through'], outputs: ['u'], attributes: { to: 9 } },
            { op: 'NonZero', inputs: ['u'], outputs: ['v'] },
            { op: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: branch(captures) } },
          ],
          { inputs: [{ name: 'x' }], outputs: [{ name: 'y' }] },
        ),
        ...messageField(7, [
          ...['product', 'turned', 'counted', 'reduced', 'through', 'captured'].flatMap((name) =>
            initializer(large, name),
          ),
          ...initializer(new Uint8Array(1000), 'small'),
          ...messageField(5, tensor(new Uint8Array(MIB / 2), 'indices', 7)),
        ]),
      ]),
    );
  const placed = (captures: string) => {
    const graph = graphWith(captures);
    const places = hollowPlaces(graph, 'zeros');
    return graph.record.initializers.filter(({ span }) => places.has(span.start)).map(({ name }) => name);
  };

  test('keeps those that a shape may depend on, and small ones', () => {
    expect(placed('Relu')).toEqual(['product', 'turned', 'captured']);
    expect(placed('NonZero')).toEqual(['product', 'turned']);
  });

  test('keeps everything else, nodes that nothing needs included', () => {
    const graph = graphWith('Relu');
    const whole = rewriteModel(graph, hollowPlaces(graph, 'zeros'), 'data');
    expect(whole.byteLength).toBeLessThan(4 * MIB);
    const hollow = openModel(concatChunks(whole.chunks));
    expect(hollow.nodes.map(({ record }) => record.opType)).toEqual(graph.nodes.map(({ record }) => record.opType));
    expect(hollow.record.initializers.find(({ name }) => name === 'product')).toMatchObject({
      dims: [MIB],
      raw: null,
      external: { location: 'zeros', offset: 0, length: MIB },
    });
    expect(hollow.record.initializers.find(({ name }) => name === 'reduced')?.external).toBeNull();
    expect([hollow.inputs, hollow.outputs]).toEqual([graph.inputs, graph.outputs]);
  });
});
