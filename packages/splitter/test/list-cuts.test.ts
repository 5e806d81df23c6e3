// The listed cuts against brute force on random graphs, and the time for a large one.

import type { BuildNode, ModelGraph } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crossableCuts, listCuts, planCut } from '../src/index.ts';
import { diamond, float, graphOf } from './models.ts';

const tensorsOf = (graph: ModelGraph) => listCuts(graph).map((cut) => cut.tensors);

test('lists single tensors and frontiers in the order of the model', () => {
  expect(tensorsOf(graphOf(diamond))).toEqual([['a'], ['b'], ['b', 'c'], ['d'], ['e']]);
});

test('counts nodes that depend on an input only', () => {
  const nodes: BuildNode[] = [{ op: 'Relu', inputs: ['w'], outputs: ['k'] }, ...diamond.slice(0, 5)];
  const graph = graphOf([...nodes, { op: 'Add', inputs: ['e', 'k'], outputs: ['y'] }]);
  expect(listCuts(graph)[0]).toEqual({ tensors: ['a'], inputs: [], headNodes: 1, tailNodes: 5 });
});

test('a model of one node has no cut', () => {
  expect(listCuts(graphOf(diamond.slice(0, 1), { outputs: [float('a')] }))).toEqual([]);
});

test('leaves out frontiers that are too large, and values that are no tensors', () => {
  const cuts = listCuts(graphOf(diamond), { maxTensors: 1 });
  expect(cuts.every((cut) => cut.tensors.length === 1)).toBe(true);
  const specs = new Map([
    ['a', { dtype: 'float32' as const }],
    ['b', { dtype: null }],
  ]);
  expect(crossableCuts(cuts, specs).map((cut) => cut.tensors)).toEqual([['a']]);
});

/** Nodes with one to three inputs and one or two outputs; several model inputs and outputs; some constants and dead ends. */
const randomGraph = fc
  .record({
    nodes: fc.array(
      fc.record({ reads: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), outputs: fc.integer({ min: 1, max: 2 }) }),
      {
        minLength: 2,
        maxLength: 14,
      },
    ),
    inputs: fc.integer({ min: 1, max: 3 }),
    outputs: fc.array(fc.nat(), { maxLength: 3 }),
  })
  .map(({ nodes, inputs, outputs }) => {
    const inputNames = Array.from({ length: inputs }, (_, at) => `x${at}`);
    const values = ['w', ...inputNames];
    const built = nodes.map(({ reads, outputs: count }, at): BuildNode => {
      const node = {
        op: 'Custom',
        inputs: reads.map((read) => values[values.length - 1 - (read % Math.min(values.length, 6))] ?? 'w'),
        outputs: Array.from({ length: count }, (_, place) => `v${at}_${place}`),
      };
      values.push(...node.outputs);
      return node;
    });
    const made = values.slice(1 + inputs);
    const outputNames = [...new Set([made.at(-1) ?? '', ...outputs.map((at) => made[at % made.length] ?? '')])];
    return graphOf(built, {
      inputs: inputNames.map((name) => float(name)),
      outputs: outputNames.map((name) => float(name)),
    });
  });

function isCut(graph: ModelGraph, tensors: readonly string[]): boolean {
  try {
    planCut(graph, tensors);
    return true;
  } catch (error) {
    expect(KerfError.is(error)).toBe(true);
    return false;
  }
}

test('on random graphs the single-tensor cuts are exactly those that separate', () => {
  let total = 0;
  fc.assert(
    fc.property(randomGraph, (graph) => {
      const listed = listCuts(graph).filter((cut) => cut.tensors.length === 1);
      const names = graph.nodes.flatMap((node) => node.outputs);
      const brute = names.filter((name) => isCut(graph, [name]));
      expect(new Set(listed.map((cut) => cut.tensors[0]))).toEqual(new Set(brute));
      expect(listed).toHaveLength(brute.length);
      total += brute.length;
    }),
    { numRuns: 1500, seed: 11 },
  );
  expect(total).toBeGreaterThan(500);
});

test('on random graphs every listed cut is accepted, counted right and minimal', () => {
  fc.assert(
    fc.property(randomGraph, (graph) => {
      const seen = new Set<string>();
      for (const cut of listCuts(graph)) {
        const plan = planCut(graph, cut.tensors);
        expect([plan.head.length, plan.tail.length]).toEqual([cut.headNodes, cut.tailNodes]);
        expect(plan.addedInputs).toEqual(cut.inputs);
        expect(seen.has(JSON.stringify(cut.tensors))).toBe(false);
        seen.add(JSON.stringify(cut.tensors));
        const inHead = new Set(plan.head.flatMap((node) => node.outputs));
        const crossing = new Set(plan.tail.flatMap((node) => node.reads).filter((name) => inHead.has(name)));
        expect([...crossing].sort()).toEqual([...cut.tensors].sort());
      }
    }),
    { numRuns: 800, seed: 12 },
  );
});

test('on random graphs each position of the order has its frontier', () => {
  fc.assert(
    fc.property(randomGraph, (graph) => {
      const listed = new Set(listCuts(graph).map((cut) => JSON.stringify([...cut.tensors].sort())));
      const live = graph.nodes.filter((node) => !node.constant);
      for (let position = 1; position < live.length; position++) {
        const made = new Set(live.slice(0, position).flatMap((node) => node.outputs));
        const behind = new Set(live.slice(position).flatMap((node) => node.reads));
        const frontier = [...made].filter((name) => behind.has(name));
        if (isCut(graph, frontier)) expect(listed.has(JSON.stringify(frontier.sort()))).toBe(true);
      }
    }),
    { numRuns: 500, seed: 13 },
  );
});

test('a graph of 5,000 nodes takes well under a second', () => {
  const nodes = Array.from({ length: 5000 }, (_, at): BuildNode => {
    const back = (steps: number) => (at - steps < 0 ? 'x' : `v${at - steps}`);
    return { op: 'Add', inputs: [back(1), back(at % 7 === 0 ? 2 : 1)], outputs: [`v${at}`] };
  });
  const graph = graphOf([...nodes, { op: 'Relu', inputs: ['v4999'], outputs: ['y'] }]);
  const start = performance.now();
  const cuts = listCuts(graph);
  expect(performance.now() - start).toBeLessThan(1000);
  expect(cuts.length).toBe(5000);
});
