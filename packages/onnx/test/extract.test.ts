// Sub-models: what they keep, what they leave, and that their nodes are the file's own bytes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BuildNode, ModelGraph } from '../src/index.ts';
import { concatChunks, extract, openModel, readModel } from '../src/index.ts';
import { intField, messageField, stringField } from '../src/wire-writer.ts';
import { expectCode, floatValue, model, weight } from './models.ts';

const relu = (from: string, to: string): BuildNode => ({ op: 'Relu', inputs: [from], outputs: [to] });
const add = (left: string, right: string, to: string): BuildNode => ({
  op: 'Add',
  inputs: [left, right],
  outputs: [to],
});

function part(graph: ModelGraph, inputs: string[], outputs: string[]): ModelGraph {
  return openModel(concatChunks(extract(graph, { inputs, outputs }).chunks));
}

const outputsOf = (graph: ModelGraph) => graph.nodes.map((node) => node.outputs[0]);

test('keeps what lies between the frontiers, in order, with unchanged bytes', () => {
  const unknownNodeField = stringField(99, 'from the future');
  const odd = concatChunks([stringField(1, 'a'), stringField(2, 'b'), unknownNodeField, stringField(4, 'Relu')]);
  const graph = openModel(
    concatChunks([
      model([relu('x', 'a'), relu('b', 'c'), add('c', 'w', 'y')]),
      ...messageField(7, messageField(1, [odd])),
    ]),
  );
  const tail = part(graph, ['a'], ['y']);
  expect(outputsOf(tail)).toEqual(['b', 'c', 'y']);
  const span = tail.nodes[0]?.record.span;
  expect(tail.model.bytes.subarray(span?.start, span?.end)).toEqual(odd);
});

test('leaves out other nodes and the weights that only they use', () => {
  const graph = openModel(
    model([add('x', 'v', 'h'), add('h', 'w', 'y'), relu('x', 'unused')], { initializers: [weight('v'), weight('w')] }),
  );
  const head = part(graph, ['x'], ['h']);
  expect(outputsOf(head)).toEqual(['h']);
  expect([...head.initializers]).toEqual(['v']);
  expect([...part(graph, ['h'], ['y']).initializers]).toEqual(['w']);
});

test('refuses frontiers that do not fit', () => {
  const graph = openModel(model([{ op: 'Split', inputs: ['x'], outputs: ['a', 'b'] }, add('a', 'b', 'y')]));
  expectCode(() => extract(graph, { inputs: [], outputs: ['y'] }), 'INVALID_ARGUMENT', /needs the model input 'x'/);
  expectCode(() => extract(graph, { inputs: ['x'], outputs: ['q'] }), 'INVALID_ARGUMENT', /no value 'q'/);
  expectCode(() => extract(graph, { inputs: ['x', 'q'], outputs: ['y'] }), 'INVALID_ARGUMENT', /no value 'q'/);
  expectCode(
    () => extract(graph, { inputs: ['x', 'a'], outputs: ['y'] }),
    'INVALID_ARGUMENT',
    /'a' is an input.*makes it too/,
  );
});

describe('keeps', () => {
  test('values and weights that only a body uses', () => {
    const branch = { graph: { nodes: [add('h', 'w', 't')], outputs: [floatValue('t')] } };
    const graph = openModel(
      model([
        relu('x', 'h'),
        { op: 'Cast', inputs: ['h'], outputs: ['c'] },
        { op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: branch, else_branch: branch } },
      ]),
    );
    const tail = part(graph, ['c', 'h'], ['y']);
    expect([...tail.initializers]).toEqual(['w']);
    expectCode(
      () => extract(graph, { inputs: ['c'], outputs: ['y'] }),
      'INVALID_ARGUMENT',
      /needs the model input 'x'/,
    );
  });

  test('local functions that are called, through others and from bodies, and no more', () => {
    const define = (name: string, nodes: BuildNode[]) => ({ domain: 'f', name, inputs: ['a'], outputs: ['z'], nodes });
    const call = (name: string, from: string, to: string) => ({ op: name, domain: 'f', inputs: [from], outputs: [to] });
    const branch = { graph: { nodes: [call('InBody', 'h', 't')], outputs: [floatValue('t')] } };
    const graph = openModel(
      model(
        [
          call('Head', 'x', 'h'),
          { op: 'Cast', inputs: ['h'], outputs: ['c'] },
          { op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: branch, else_branch: branch } },
        ],
        {
          opsets: { '': 17, f: 1 },
          functions: [
            define('Head', [relu('a', 'z')]),
            define('Inner', [relu('a', 'z')]),
            define('InBody', [call('Inner', 'a', 'z')]),
          ],
        },
      ),
    );
    const names = (of: ModelGraph) => of.model.functions.map((entry) => entry.name);
    expect(names(part(graph, ['x'], ['h']))).toEqual(['Head']);
    expect(names(part(graph, ['h', 'c'], ['y']))).toEqual(['Inner', 'InBody']);
  });

  test('metadata, opsets, IR version and unknown fields; training information goes', () => {
    const extraFields = [stringField(999, 'kept'), ...messageField(20, [stringField(1, 'gone')])];
    const graph = openModel(
      model([relu('x', 'h'), relu('h', 'y')], {
        metadata: { labels: 'a,b' },
        opsets: { '': 13, 'ai.onnx.ml': 3 },
        irVersion: 7,
        extraFields,
      }),
    );
    const bytes = concatChunks(extract(graph, { inputs: ['h'], outputs: ['y'] }).chunks);
    const text = new TextDecoder('latin1').decode(bytes);
    expect(text).toContain('a,b');
    expect(text).toContain('kept');
    expect(text).not.toContain('gone');
    expect(readModel(bytes)).toMatchObject({ irVersion: 7, opsetImports: [{ version: 13 }, { version: 3 }] });
  });

  test('value_info and quantisation annotations of what is inside, with the scales they name', () => {
    const annotation = (tensor: string, scale: string) =>
      messageField(14, [
        stringField(1, tensor),
        ...messageField(2, [stringField(1, 'SCALE_TENSOR'), stringField(2, scale)]),
      ]);
    const graph = openModel(
      concatChunks([
        model([relu('x', 'a'), relu('a', 'b'), relu('b', 'y')], {
          initializers: [weight('scale a'), weight('scale b')],
          valueInfos: [floatValue('a'), floatValue('b')],
        }),
        ...messageField(7, [...annotation('a', 'scale a'), ...annotation('b', 'scale b')]),
      ]),
    );
    // Field 14 of a graph is quantization_annotation.
    expect(graph.record.annotations).toHaveLength(2);
    const tail = part(graph, ['b'], ['y']);
    expect(tail.record.annotations.map((entry) => entry.tensor)).toEqual(['b']);
    expect([...tail.initializers]).toEqual(['scale b']);
    const head = part(graph, ['x'], ['b']);
    expect(head.record.valueInfos.map((info) => info.name)).toEqual(['a']);
    expect(head.record.outputs[0]?.type).toEqual({ kind: 'tensor', dataType: 1, shape: [2] });
  });

  test('sparse initializers', () => {
    const values = messageField(1, [
      intField(1, 1),
      intField(2, 1),
      stringField(8, 's'),
      ...messageField(9, [new Uint8Array(4)]),
    ]);
    const indices = messageField(2, [intField(1, 1), intField(2, 7), ...messageField(9, [new Uint8Array(8)])]);
    const graph = openModel(
      concatChunks([
        model([relu('x', 'h'), add('h', 's', 'y')]),
        ...messageField(7, messageField(15, [...values, ...indices, intField(3, 2)])),
      ]),
    );
    expect([...part(graph, ['h'], ['y']).initializers]).toEqual(['s']);
    expect([...part(graph, ['x'], ['h']).initializers]).toEqual([]);
  });

  test('the listing of initializers among the inputs, as IR versions below 4 demand', () => {
    const graph = openModel(
      model([add('x', 'v', 'h'), add('h', 'w', 'y')], {
        irVersion: 3,
        inputs: [floatValue('x'), floatValue('v'), floatValue('w')],
        initializers: [weight('v'), weight('w')],
      }),
    );
    const tail = part(graph, ['h'], ['y']);
    expect(tail.record.inputs.map((input) => input.name)).toEqual(['h', 'w']);
    expect(tail.inputs).toEqual(['h']);
  });
});

test('rewrites external data wherever it is, once per source range', () => {
  const outside = (name: string, offset: number) => ({
    ...weight(name),
    external: { location: 'big.bin', offset, length: 8 },
  });
  const inner = { graph: { nodes: [add('h', 'v', 't')], outputs: [floatValue('t')], initializers: [outside('v', 8)] } };
  const graph = openModel(
    model(
      [
        add('x', 'unused', 'h'),
        { op: 'Cast', inputs: ['h'], outputs: ['c'] },
        { op: 'If', inputs: ['c'], outputs: ['i'], attributes: { then_branch: inner, else_branch: inner } },
        add('i', 'w', 'y'),
      ],
      { initializers: [outside('w', 8), outside('unused', 0)] },
    ),
  );
  const extracted = extract(graph, { inputs: ['h', 'c'], outputs: ['y'], externalFile: 'tail.data' });
  expect(extracted.external).toEqual([{ location: 'big.bin', offset: 8, length: 8, target: 0 }]);
  const text = new TextDecoder('latin1').decode(concatChunks(extracted.chunks));
  expect(text).not.toContain('big.bin');
  const tail = openModel(concatChunks(extracted.chunks));
  expect(tail.record.initializers[0]?.external).toEqual({ location: 'tail.data', offset: 0, length: 8 });
  const body = tail.nodes[0]?.record.attributes[0]?.graphs[0];
  expect(body?.initializers[0]?.external?.location).toBe('tail.data');
});

test('on random graphs the parts at any frontier hold each needed node once and nothing else', () => {
  const edges = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(edges, fc.nat(), fc.boolean(), (pairs, at, reverse) => {
      const names = ['x', 'w'];
      const nodes = pairs.map(([left, right], index) => {
        const node = add(names[left % names.length] ?? 'x', names[right % names.length] ?? 'x', `v${index}`);
        names.push(`v${index}`);
        return node;
      });
      const last = `v${pairs.length - 1}`;
      const graph = openModel(model(reverse ? nodes.toReversed() : nodes, { outputs: [floatValue(last)] }));
      const cut = `v${at % pairs.length}`;
      const before = part(graph, ['x'], [cut]);
      const wanted = new Set<string>();
      const visit = (name: string): void => {
        const node = nodes.find((candidate) => candidate.outputs[0] === name);
        if (node === undefined || wanted.has(name)) return;
        wanted.add(name);
        node.inputs?.forEach(visit);
      };
      visit(cut);
      expect(new Set(outputsOf(before))).toEqual(wanted);
      expect(before.nodes).toHaveLength(wanted.size);
    }),
    { numRuns: 300, seed: 3 },
  );
});
