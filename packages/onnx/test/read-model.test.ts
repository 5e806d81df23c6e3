// What the reader keeps, and how it refuses bytes that are not a model.

import { KerfError } from '@kerf/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildModel, DEFAULT_MODEL_LIMITS, metadataOf, openModel, readModel } from '../src/index.ts';
import { concatChunks, intField, messageField, stringField } from '../src/wire-writer.ts';
import { expectCode, floatValue, model, weight } from './models.ts';

const simple = model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'], name: 'sum' }]);

test('reads names, types, nodes and weights as views of the file', () => {
  const read = readModel(simple);
  expect(read.irVersion).toBe(8);
  expect(read.opsetImports).toEqual([{ domain: '', version: 17 }]);
  const node = read.graph?.nodes[0];
  expect(node).toMatchObject({ name: 'sum', opType: 'Add', inputs: ['x', 'w'], outputs: ['y'], domain: '' });
  expect(read.graph?.inputs[0]?.type).toEqual({ kind: 'tensor', dataType: 1, shape: [2] });
  const raw = read.graph?.initializers[0]?.raw;
  expect(raw && raw.end - raw.start).toBe(8);
  expect(read.bytes.buffer).toBe(simple.buffer);
});

test('reads the notes of the maker, of any length', () => {
  const metadata = { 'kerf.task': 'defect', characters: 'ü\n'.repeat(20_000), empty: '' };
  const noted = readModel(model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }], { metadata }));
  expect(Object.fromEntries(metadataOf(noted))).toEqual(metadata);
  expect(metadataOf(readModel(simple)).size).toBe(0);
});

test('a standard domain that is spelled out is the empty one', () => {
  const graph = openModel(
    model([{ op: 'Add', domain: 'ai.onnx', inputs: ['x', 'w'], outputs: ['y'] }], { opsets: { 'ai.onnx': 17 } }),
  );
  expect(graph.nodes[0]?.record.domain).toBe('');
});

test.each([
  ['# notes\nformat: kerf-station/1\n', 'the file is text, not an ONNX model'],
  ['<!DOCTYPE html><title>404</title>', 'the file is text, not an ONNX model'],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n', /a Git LFS pointer \(git lfs pull/],
])('says of a file that holds %j what it is', (text, said) => {
  expect(() => readModel(new TextEncoder().encode(text))).toThrow(said);
});

test('merges a graph that comes in two pieces, as protobuf does', () => {
  const extra = concatChunks(messageField(7, messageField(12, [stringField(1, 'h')])));
  const bytes = concatChunks([
    model([
      { op: 'Relu', inputs: ['x'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['y'] },
    ]),
    extra,
  ]);
  expect(openModel(bytes).outputs).toEqual(['y', 'h']);
});

describe('refuses', () => {
  test.each([
    ['nothing', new Uint8Array(), /empty/],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10), /PNG/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/],
    ['a cut file', simple.subarray(0, simple.length - 20), /left|cut short/],
    ['an endless number', new Uint8Array(12).fill(0x88), /number|tag/],
    ['field zero', Uint8Array.of(0, 0), /number/],
    ['wire type 6', Uint8Array.of(0x0e, 0), /wire type/],
    ['a group that never ends', Uint8Array.of(0x9b, 6, 8, 1), /cut short/],
  ])('%s', (_, bytes, message) => expectCode(() => openModel(bytes), 'MODEL_MALFORMED', message));

  test('a known field of another wire type', () => {
    expectCode(() => openModel(concatChunks([intField(7, 1)])), 'MODEL_MALFORMED', /wire type/);
  });

  test('names that are not UTF-8, with the place', () => {
    const bad = concatChunks(messageField(7, messageField(1, messageField(1, [Uint8Array.of(0xff, 0xfe)]))));
    expectCode(() => openModel(bad), 'MODEL_MALFORMED', /graph > node 0: a name is not valid UTF-8/);
  });

  test('nesting beyond the limit, of bodies and of types', () => {
    let type: Uint8Array[] = [];
    for (let depth = 0; depth < 3000; depth++) type = [concatChunks(messageField(4, messageField(1, type)))];
    const value = [stringField(1, 'x'), ...messageField(2, type)];
    expectCode(() => readModel(concatChunks(messageField(7, messageField(11, value)))), 'MODEL_TOO_LARGE', /nested/);
    let body = concatChunks(messageField(12, [stringField(1, 'y')]));
    for (let depth = 0; depth < 400; depth++) {
      body = concatChunks(messageField(1, [stringField(4, 'If'), ...messageField(5, messageField(6, [body]))]));
    }
    expectCode(() => readModel(concatChunks(messageField(7, [body]))), 'MODEL_TOO_LARGE', /nested/);
  });

  test.each([
    [{ maxModelBytes: 10 }, /bytes, more than 10/],
    [{ maxNodes: 0 }, /more than 0 nodes/],
    [{ maxNameBytes: 2 }, /a name has 3 bytes/],
    [{ maxRank: 0 }, /dimensions/],
    [{ maxRecords: 5 }, /more than 5/],
  ])('what exceeds %o', (limits, message) => {
    expectCode(() => readModel(simple, { ...DEFAULT_MODEL_LIMITS, ...limits }), 'MODEL_TOO_LARGE', message);
  });
});

test('packed and unpacked lists, and unknown groups, read alike', () => {
  const dims = [...messageField(1, [Uint8Array.of(2, 3)])];
  const tensor = (fields: readonly Uint8Array[]) => [...fields, intField(2, 7), stringField(8, 'w')];
  const group = Uint8Array.of(0xa3, 6, 8, 1, 0xa4, 6);
  const graphOf = (fields: readonly Uint8Array[], data: readonly Uint8Array[]) =>
    concatChunks([group, ...messageField(7, messageField(5, [...tensor(fields), ...data]))]);
  const packed = graphOf(dims, messageField(7, [Uint8Array.of(1, 2, 3, 4, 5, 6)]));
  const loose = graphOf(
    [intField(1, 2), intField(1, 3)],
    [1, 2, 3, 4, 5, 6].map((value) => intField(7, value)),
  );
  for (const bytes of [packed, loose]) {
    const read = readModel(bytes).graph?.initializers[0];
    expect(read?.dims).toEqual([2, 3]);
    expect(read?.typedCounts?.get(7)).toBe(6);
  }
});

const seed = buildModel({
  nodes: [
    { op: 'Relu', inputs: ['x'], outputs: ['c'] },
    { op: 'Cast', inputs: ['c'], outputs: ['b'], attributes: { to: 9 } },
    {
      op: 'If',
      inputs: ['b'],
      outputs: ['y'],
      attributes: {
        then_branch: {
          graph: { nodes: [{ op: 'Add', inputs: ['c', 'w'], outputs: ['t'] }], outputs: [floatValue('t')] },
        },
        else_branch: {
          graph: { nodes: [{ op: 'Mul', inputs: ['c', 'w'], outputs: ['e'] }], outputs: [floatValue('e')] },
        },
      },
    },
  ],
  inputs: [floatValue('x')],
  outputs: [floatValue('y')],
  initializers: [weight('w')],
  metadata: { key: 'value' },
});

test('mutated files never end in anything but a graph or a KerfError', () => {
  const mutation = fc.record({ at: fc.nat(seed.length - 1), byte: fc.nat(255) });
  let rejected = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 12 }), fc.nat(seed.length), (mutations, cut) => {
      const bytes = seed.slice(0, cut % 7 === 0 ? cut : seed.length);
      for (const { at, byte } of mutations) if (at < bytes.length) bytes[at] = byte;
      try {
        openModel(bytes);
      } catch (error) {
        expect(KerfError.is(error), String(error)).toBe(true);
        rejected++;
      }
    }),
    { numRuns: 4000, seed: 7 },
  );
  expect(rejected).toBeGreaterThan(1000);
});
