// Random models with control flow, functions, shared weights and shadowed names: every listed cut splits and equals the whole.
import { type BuildGraph, type BuildNode, buildModel, concatChunks, openModel } from '@kerf/onnx';
import { float32Tensor, seededRandom, systemClock } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import {
  bytesHost,
  compareSplit,
  expectation,
  extractSide,
  findInputs,
  listCuts,
  planCut,
  splitModel,
} from '../src/index.ts';
import { add, cpu, float, relu, weight } from './models.ts';

const backend = cpu(ort);
const MODELS = 40;
const MAX_NODES = 14;

/** Names that a shell, a path or an object literal would trip over. */
const NAMES = ['a/b', '__proto__', 'c,d', '["e"]', 'f\ng', '\u00e9\u{1f600}', ' ', 'constructor', '0', 'h:0'];

function randomModel(seed: number): Uint8Array {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const values = ['x', 'z'];
  const nodes: BuildNode[] = [{ op: 'Less', inputs: ['x', 'w'], outputs: ['c2'] }];
  nodes.push({ op: 'Gather', inputs: ['c2', 'at'], outputs: ['c'], attributes: { axis: 0 } });
  /** Reads an outer value and the shared weight; a weight of its own has the outer one's name in some bodies. */
  const body = (depth: number, outer: string): BuildGraph => {
    const isShadowed = random() < 0.3;
    const inner: BuildNode[] = [add(outer, 'w', `s${depth}`)];
    if (depth > 0) inner.push(choice(depth - 1, outer, `i${depth}`), add(`s${depth}`, `i${depth}`, `o${depth}`));
    else inner.push(relu('s0', 'o0'));
    return {
      nodes: inner,
      outputs: [float(`o${depth}`)],
      ...(isShadowed
        ? { initializers: [{ name: `k${depth}`, tensor: float32Tensor([2], Float32Array.of(1, 2)) }] }
        : {}),
    };
  };
  const choice = (depth: number, outer: string, output: string): BuildNode => ({
    op: 'If',
    inputs: ['c'],
    outputs: [output],
    attributes: { then_branch: { graph: body(depth, outer) }, else_branch: { graph: body(depth, pick(values)) } },
  });
  const count = 4 + Math.floor(random() * (MAX_NODES - 4));
  for (let at = 0; at < count; at++) {
    const name = NAMES[at] ?? `v${at}`;
    const kind = random();
    const from = pick(values.slice(-4));
    if (kind < 0.35) nodes.push(add(from, pick(values), name));
    else if (kind < 0.5) nodes.push(add(from, 'w', name));
    else if (kind < 0.65) nodes.push({ op: 'Twice', domain: 'f', inputs: [from], outputs: [name] });
    else if (kind < 0.85) nodes.push(choice(Math.floor(random() * 4), from, name));
    else nodes.push({ op: 'Sigmoid', inputs: [from], outputs: [name] });
    values.push(name);
  }
  const last = values.at(-1) ?? 'x';
  const outputs = [
    last,
    pick(values.slice(2).filter((name) => name !== '__proto__')),
    ...(random() < 0.3 ? ['x'] : []),
    ...(random() < 0.3 ? [last] : []),
  ];
  return buildModel({
    nodes,
    inputs: [float('x'), float('z'), float('unused'), ...(random() < 0.5 ? [float('w')] : [])],
    outputs: [...new Set(outputs)].map((name) => float(name)),
    initializers: [weight('w'), { name: 'at', tensor: indexOne }],
    opsets: { '': 17, f: 1 },
    functions: [
      {
        domain: 'f',
        name: 'Twice',
        inputs: ['p'],
        outputs: ['q'],
        nodes: [add('p', 'p', 'r'), { op: 'Once', domain: 'f', inputs: ['r'], outputs: ['q'] }],
      },
      {
        domain: 'f',
        name: 'Once',
        inputs: ['p'],
        outputs: ['q'],
        nodes: [{ op: 'Tanh', inputs: ['p'], outputs: ['q'] }],
      },
    ],
  });
}

const indexOne = { dtype: 'int64' as const, shape: [], data: new Uint8Array(BigInt64Array.of(1n).buffer) };

test('every listed cut of random models splits, and head then tail equals the whole bit for bit', async () => {
  let cuts = 0;
  for (let seed = 1; seed <= MODELS; seed++) {
    const bytes = randomModel(seed);
    const graph = openModel(bytes);
    const whole = await backend.load({ bytes }, { optimizationLevel: 'disabled' });
    const sampler = await findInputs(whole, { clock: systemClock, seed });
    for (const { tensors } of listCuts(graph)) {
      const plan = planCut(graph, tensors);
      if (tensors.includes('__proto__')) {
        await expect(splitModel(plan, backend, bytesHost())).rejects.toMatchObject({ code: 'CUT_TYPE_UNSUPPORTED' });
        continue;
      }
      const split = await splitModel(plan, backend, bytesHost());
      const sides = [split.head, split.tail].map((side) => ({
        bytes: concatChunks(extractSide(graph, side, '').chunks),
      }));
      const [head, tail] = await Promise.all(
        sides.map((side) => backend.load(side, { optimizationLevel: 'disabled' })),
      );
      if (head === undefined || tail === undefined) throw new Error('a side is missing');
      const names = { ...plan, modelInputs: graph.inputs, modelOutputs: graph.outputs };
      const expected = expectation(graph, [], backend.name, 'disabled');
      const report = await compareSplit({ whole, head, tail, names, sampler, runs: 3, expectation: expected });
      expect(report.verdict, `seed ${seed}, cut ${JSON.stringify(tensors)}`).toBe('bit-equal');
      await head.dispose();
      await tail.dispose();
      cuts++;
    }
    await whole.dispose();
  }
  expect(cuts).toBeGreaterThan(MODELS);
});
