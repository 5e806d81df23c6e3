// Editing a model: what changes, and that everything else is the bytes that it was.
import { float32Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import {
  type BuildNode,
  buildModel,
  concatChunks,
  editModel,
  type ModelEdit,
  type ModelGraph,
  metadataOf,
  openModel,
} from '../src/index.ts';
import { expectCode, floatValue, model, weight } from './models.ts';

const relu = (from: string, to: string): BuildNode => ({ op: 'Relu', inputs: [from], outputs: [to] });

function edited(graph: ModelGraph, edit: ModelEdit): ModelGraph {
  return openModel(concatChunks(editModel(graph, edit).chunks));
}

const bytesOfNode = (graph: ModelGraph, at: number): number[] => {
  const { span } = graph.nodes[at]?.record ?? { span: { start: 0, end: 0 } };
  return [...graph.model.bytes.subarray(span.start, span.end)];
};

describe('an edit', () => {
  it('of nothing keeps every node, weight and entry', () => {
    const graph = openModel(model([relu('x', 'a'), { op: 'Add', inputs: ['a', 'w'], outputs: ['y'] }]));
    const after = edited(graph, {});
    expect(after.model.bytes.byteLength).toBe(graph.model.bytes.byteLength);
    expect(after.nodes.map((_, at) => bytesOfNode(after, at))).toEqual(
      graph.nodes.map((_, at) => bytesOfNode(graph, at)),
    );
    expect(after.record.initializers.map(({ name }) => name)).toEqual(['w']);
  });

  it('renames what a node reads and makes and keeps its attributes', () => {
    const leaky: BuildNode = {
      op: 'LeakyRelu',
      inputs: ['x'],
      outputs: ['y'],
      name: 'leak',
      attributes: { alpha: 0.25 },
    };
    const graph = openModel(model([leaky]));
    const kept = graph.nodes[0]?.record;
    if (kept === undefined) throw new Error('no node');
    const after = edited(graph, {
      nodes: new Map([[kept, [{ kept, inputs: ['n'], outputs: ['y'] }]]]),
      first: [relu('x', 'n')],
    });
    const [, node] = after.nodes;
    expect(node?.record).toMatchObject({ name: 'leak', inputs: ['n'], outputs: ['y'] });
    const tail = bytesOfNode(graph, 0).slice(-20);
    expect(bytesOfNode(after, 1).slice(-20)).toEqual(tail);
  });

  it('replaces attributes, adds them and takes them away', () => {
    const graph = openModel(model([{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 1, saturate: 1 } }]));
    const kept = graph.nodes[0]?.record;
    if (kept === undefined) throw new Error('no node');
    const attributes = new Map([
      ['to', 10],
      ['saturate', null],
    ]);
    const after = edited(graph, { nodes: new Map([[kept, [{ kept, attributes }]]]) });
    const text = new TextDecoder('latin1').decode(after.model.bytes);
    expect(text).toContain('to');
    expect(text).not.toContain('saturate');
  });

  it('raises the operator set and replaces metadata of the same key only', () => {
    const graph = openModel(
      model([relu('x', 'y')], { opsets: { '': 11, 'com.microsoft': 1 }, metadata: { a: '1', b: '2' } }),
    );
    const after = edited(graph, {
      opset: 13,
      metadata: { b: '3', c: '4' },
      imports: { 'ai.onnx.ml': 2 },
      irVersion: 9,
    });
    const versions = Object.fromEntries(after.model.opsetImports.map(({ domain, version }) => [domain, version]));
    expect(versions).toEqual({ '': 13, 'com.microsoft': 1, 'ai.onnx.ml': 2 });
    expect(Object.fromEntries(metadataOf(after.model))).toEqual({ a: '1', b: '3', c: '4' });
    expect(after.model.irVersion).toBe(9);
  });

  it('drops initializers with their inputs and keeps nothing that describes lost values', () => {
    const graph = openModel(
      model([relu('x', 'a'), { op: 'Add', inputs: ['a', 'w'], outputs: ['y'] }], {
        inputs: [floatValue('x'), floatValue('w')],
        valueInfos: [floatValue('a')],
      }),
    );
    const [first, second] = graph.nodes.map(({ record }) => record);
    if (first === undefined || second === undefined) throw new Error('no nodes');
    const nodes = new Map([
      [first, []],
      [second, [{ op: 'Add', inputs: ['x', 'v'], outputs: ['y'] }]],
    ]);
    const tensor = float32Tensor([2], Float32Array.of(5, 6));
    const after = edited(graph, { nodes, dropped: new Set(['w']), initializers: [{ name: 'v', tensor }] });
    expect(after.record.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(after.record.initializers.map(({ name }) => name)).toEqual(['v']);
    expect(after.record.valueInfos).toEqual([]);
  });

  it('changes a body and leaves the one beside it as it is', () => {
    const body = (name: string) => ({ name, nodes: [relu('w', name)], outputs: [{ name }] });
    const graph = openModel(
      buildModel({
        nodes: [
          {
            op: 'If',
            inputs: ['c'],
            outputs: ['y'],
            attributes: { then_branch: { graph: body('t') }, else_branch: { graph: body('e') } },
          },
        ],
        inputs: [{ name: 'c', dtype: 'bool', shape: [] }],
        outputs: [floatValue('y')],
        initializers: [weight('w')],
      }),
    );
    const [thenBody, elseBody] = graph.nodes[0]?.record.attributes.flatMap(({ graphs }) => graphs) ?? [];
    if (thenBody === undefined || elseBody === undefined) throw new Error('no bodies');
    const after = edited(graph, { bodies: new Map([[thenBody, { first: [relu('w', 'extra')] }]]) });
    const bodies = after.nodes[0]?.record.attributes.flatMap(({ graphs }) => graphs) ?? [];
    expect(bodies.map(({ name, nodes }) => [name, nodes.length])).toEqual([
      ['t', 2],
      ['e', 1],
    ]);
  });

  it('puts large new tensors into the data file where the source has one, and asks for its name', () => {
    const graph = openModel(
      model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }], {
        initializers: [{ ...weight('w'), external: { location: 'w.data', offset: 0, length: 8 } }],
      }),
    );
    const large = { name: 'v', tensor: float32Tensor([1000], new Float32Array(1000).fill(3)) };
    expectCode(() => editModel(graph, { initializers: [large] }), 'INVALID_ARGUMENT', /data file/);
    const extracted = editModel(graph, { initializers: [large], externalFile: 'new.data' });
    expect(extracted.byteLength).toBeLessThan(1000);
    expect(extracted.placed?.map(({ bytes }) => bytes.byteLength)).toEqual([4000]);
    const ranges = [...extracted.external, ...(extracted.placed ?? [])].map(({ target }) => target);
    expect(new Set(ranges).size).toBe(2);
    const after = openModel(concatChunks(extracted.chunks));
    expect(after.record.initializers.map(({ external }) => external?.location)).toEqual(['new.data', 'new.data']);
  });
});
