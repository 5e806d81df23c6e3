// What profiling is made of, without a runtime: statistics, the order of cuts, kernel events to nodes, open sizes.
import { type ModelGraph, openModel } from '@kerf/onnx';
import { type Clock, float32Tensor, KerfError } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { fusedValues } from '../src/fused-pairs.ts';
import { type CandidateCut, candidateCuts, nextCut } from '../src/profile/choose-cuts.ts';
import { namedRefusal } from '../src/profile/missing-operator.ts';
import { type KernelEvent, nodeCostsOfEvents } from '../src/profile/node-costs.ts';
import { checkSizesBound } from '../src/profile/open-dimensions.ts';
import { distributionOf, median, TimedRuns, tickOf } from '../src/profile/timed-runs.ts';
import type { ValueSpec } from '../src/value-types.ts';
import { bytesOf, expectCode, float, graphOf, relu } from './models.ts';

/** Each reading is `stepMs` later; work adds to it. */
function steppingClock(stepMs: number): Clock & { work(ms: number): void } {
  let exactMs = 0;
  return {
    nowMs: () => Math.floor((exactMs += stepMs / 100) / stepMs) * stepMs,
    after: () => () => {},
    work: (ms) => {
      exactMs += ms;
    },
  };
}

describe('statistics', () => {
  test('the median is the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBe(0);
  });

  test('the 99th percentile needs 20 runs, and is the slowest of up to 100', () => {
    const runs = Array.from({ length: 20 }, (_, at) => at + 1);
    expect(distributionOf(runs.slice(1))).toEqual({ ms: 11, p99Ms: null, runs: 19 });
    expect(distributionOf(runs)).toEqual({ ms: 10.5, p99Ms: 20, runs: 20 });
    expect(distributionOf(Array.from({ length: 200 }, (_, at) => at + 1)).p99Ms).toBe(198);
  });

  test('the step of a clock is found, and one that stands still has none', () => {
    expect(tickOf(steppingClock(0.125))).toBeCloseTo(0.125);
    expect(tickOf({ nowMs: () => 7, after: () => () => {} })).toBe(0);
  });

  test('what is too short for the clock is run several times for a sample', async () => {
    const clock = steppingClock(1);
    let count = 0;
    const runs = new TimedRuns(clock, 1, async () => {
      count++;
      clock.work(0.25);
    });
    await runs.warmUp(2);
    const before = count;
    const ms = await runs.sample();
    expect(count - before).toBeGreaterThanOrEqual(40);
    expect(ms).toBeCloseTo(0.25, 1);
    expect(runs.samplesMs).toEqual([ms]);
  });

  test('what is long enough is run once for a sample', async () => {
    const clock = steppingClock(0.001);
    let count = 0;
    const runs = new TimedRuns(clock, 0.001, async () => {
      count++;
      clock.work(5);
    });
    await runs.warmUp(2);
    await runs.sample();
    expect(count).toBe(3);
  });
});

const chain = graphOf(
  Array.from({ length: 9 }, (_, at) => ({
    op: 'Neg',
    inputs: [at === 0 ? 'x' : `v${at}`],
    outputs: [at === 8 ? 'y' : `v${at + 1}`],
  })),
);

/** v1 to v8 with these bytes. */
function specsOf(bytes: readonly (number | null)[]): Map<string, ValueSpec> {
  const spec = (name: string, size: number | null): [string, ValueSpec] => [
    name,
    { name, dtype: 'float32', shape: null, bytes: size },
  ];
  return new Map([spec('x', 100), ...bytes.map((size, at) => spec(`v${at + 1}`, size)), spec('y', 4)]);
}

const namesOf = (cuts: readonly CandidateCut[]): string[] => cuts.map(({ cut }) => cut.tensors.join());

describe('which cuts are measured', () => {
  test('those of known size that one message carries', () => {
    const cuts = candidateCuts(chain, specsOf([100, null, 2 ** 27, 100, 100, 100, 100, 100]));
    expect(namesOf(cuts)).toEqual(['v1', 'v4', 'v5', 'v6', 'v7', 'v8']);
  });

  test('thrift is measured against the input and every cut before', () => {
    const cuts = candidateCuts(chain, specsOf([200, 50, 100, 25, 25, 50, 400, 5]));
    expect(cuts.map(({ thrift }) => thrift)).toEqual([0.5, 1, 0.5, 1, 1, 0.5, 0.0625, 1]);
  });

  test('none inside a fusion', () => {
    const graph = graphOf(
      [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
        relu('a', 'b'),
        { op: 'Neg', inputs: ['b'], outputs: ['y'] },
      ],
      {
        inputs: [float('x', [1, 1, 2, 2])],
        initializers: [{ name: 'w', tensor: float32Tensor([1, 1, 1, 1], new Float32Array(1)) }],
      },
    );
    expect([...fusedValues(graph).keys()]).toEqual(['a']);
    const spec = (name: string): [string, ValueSpec] => [
      name,
      { name, dtype: 'float32', shape: [1, 1, 2, 2], bytes: 16 },
    ];
    expect(namesOf(candidateCuts(graph, new Map(['x', 'a', 'b', 'y'].map(spec))))).toEqual(['b']);
  });

  test('the middle comes first, then the middles of what is left', () => {
    const all = candidateCuts(chain, specsOf(Array.from({ length: 8 }, () => 100)));
    const order: CandidateCut[] = [];
    for (let next = nextCut(all, [], new Float64Array(9).fill(1)); next !== null; ) {
      order.push(next);
      next = nextCut(
        all.filter((one) => !order.includes(one)),
        order,
        new Float64Array(9).fill(1),
      );
    }
    expect(namesOf(order).slice(0, 3)).toEqual(['v4', 'v2', 'v6']);
    expect(namesOf(order).toSorted()).toEqual(namesOf(all));
  });

  test('node times, not node counts, say where the middle is', () => {
    const all = candidateCuts(chain, specsOf(Array.from({ length: 8 }, () => 100)));
    const nodeMs = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 10, 10);
    expect(namesOf([nextCut(all, [], nodeMs) as CandidateCut])).toEqual(['v8']);
  });

  test('at the same place, only a smaller one is worth another session', () => {
    const all = candidateCuts(chain, specsOf([100, 100, 100, 100, 100, 100, 100, 40]));
    const nodeMs = Float64Array.of(10, 0, 0, 0, 0, 0, 0, 0, 10);
    const first = all[0] as CandidateCut;
    expect(namesOf([nextCut(all.slice(1), [first], nodeMs) as CandidateCut])).toEqual(['v8']);
    expect(nextCut(all.slice(1, -1), [first], nodeMs)).toBeNull();
  });

  test('a cut that carries much more than one before it waits', () => {
    const all = candidateCuts(chain, specsOf([1, 100, 100, 100, 10_000, 100, 100, 1]));
    const first = nextCut(all, [], new Float64Array(9).fill(1)) as CandidateCut;
    expect(['v1', 'v8']).toContain(first.cut.tensors[0]);
  });
});

const kernel = (name: string, opType: string, nodeIndex: number, startMs: number, ms: number): KernelEvent => ({
  name,
  opType,
  nodeIndex,
  startMs,
  ms,
});

const costsOf = (graph: ModelGraph, runs: readonly (readonly KernelEvent[])[]) =>
  Object.fromEntries(nodeCostsOfEvents(graph, runs).map(({ name, ms }) => [name, ms]));

describe('kernel events', () => {
  test('are found by index; the median of the runs counts', () => {
    const graph = graphOf([relu('x', 'a'), relu('a', 'y')]);
    const run = (first: number, second: number): KernelEvent[] => [
      kernel('Relu_0', 'Relu', 0, 0, first),
      kernel('Relu_1', 'Relu', 1, first, second),
    ];
    expect(costsOf(graph, [run(1, 4), run(9, 5), run(2, 6)])).toEqual({ a: 2, y: 5 });
  });

  test('are found by name where the runtime counts otherwise', () => {
    const graph = graphOf([
      { ...relu('x', 'a'), name: 'first' },
      { op: 'Neg', inputs: ['a'], outputs: ['y'], name: 'second' },
    ]);
    expect(costsOf(graph, [[kernel('first', 'Relu', 5, 0, 1), kernel('second', 'Neg', 6, 1, 2)]])).toEqual({
      first: 1,
      second: 2,
    });
  });

  test('Constants have no number, and constant nodes no cost', () => {
    const graph = graphOf([
      { op: 'Constant', outputs: ['k'], attributes: { value: { tensor: float32Tensor([2], Float32Array.of(1, 2)) } } },
      { op: 'Neg', inputs: ['k'], outputs: ['l'] },
      { op: 'Add', inputs: ['x', 'l'], outputs: ['y'] },
    ]);
    expect(costsOf(graph, [[kernel('Neg_0', 'Neg', 0, 0, 9), kernel('Add_1', 'Add', 1, 9, 2)]])).toEqual({ y: 2 });
  });

  test('what a body runs counts for its holder only', () => {
    const branch = (op: string) => ({
      graph: { nodes: [{ op, inputs: ['a'], outputs: [`${op}_`] }], outputs: [float(`${op}_`)] },
    });
    const graph = graphOf([
      relu('x', 'a'),
      { op: 'ReduceMax', inputs: ['a'], outputs: ['b'], attributes: { keepdims: 0 } },
      { op: 'Cast', inputs: ['b'], outputs: ['c'], attributes: { to: 9 } },
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['d'],
        attributes: { then_branch: branch('Relu'), else_branch: branch('Neg') },
      },
      relu('d', 'y'),
    ]);
    const events = [
      kernel('Relu_0', 'Relu', 0, 0, 1),
      kernel('ReduceMax_1', 'ReduceMax', 1, 1, 1),
      kernel('Cast_2', 'Cast', 2, 2, 1),
      // The body's only node is number 0 as well.
      kernel('Relu_0', 'Relu', 0, 4, 2),
      kernel('If_3', 'If', 3, 3, 5),
      kernel('Relu_4', 'Relu', 4, 9, 1),
    ];
    expect(costsOf(graph, [events])).toEqual({ a: 1, b: 1, c: 1, d: 5, y: 1 });
  });

  const twice = {
    domain: 'own',
    name: 'Twice',
    inputs: ['u'],
    outputs: ['v'],
    nodes: [
      { op: 'Add', inputs: ['u', 'u'], outputs: ['w'] },
      { op: 'Neg', inputs: ['w'], outputs: ['v'] },
    ],
  };
  const calls = graphOf(
    [
      { op: 'Twice', domain: 'own', inputs: ['x'], outputs: ['a'] },
      relu('a', 'b'),
      { op: 'Twice', domain: 'own', inputs: ['b'], outputs: ['y'] },
    ],
    { functions: [twice], opsets: { '': 17, own: 1 } },
  );

  test('what a local function runs counts for the node that calls', () => {
    const events = [
      kernel('Add_3', 'Add', 3, 0, 1),
      kernel('Neg_4', 'Neg', 4, 1, 2),
      kernel('Relu_1', 'Relu', 1, 3, 1),
      kernel('Add_5', 'Add', 5, 4, 10),
      kernel('Neg_6', 'Neg', 6, 14, 20),
    ];
    expect(costsOf(calls, [events])).toEqual({ a: 3, b: 1, y: 30 });
  });

  test('what cannot be told apart is spread over the nodes without an event', () => {
    const events = [
      kernel('Mul_3', 'Mul', 3, 0, 4),
      kernel('Relu_1', 'Relu', 1, 4, 1),
      kernel('Mul_5', 'Mul', 5, 5, 6),
    ];
    expect(costsOf(calls, [events])).toEqual({ a: 5, b: 1, y: 5 });
  });

  test('a cast that the runtime put in counts for the node before', () => {
    const graph = graphOf([relu('x', 'a'), relu('a', 'y')]);
    const events = [
      kernel('Relu_0', 'Relu', 0, 0, 1),
      kernel('InsertedPrecisionFreeCast_a', 'Cast', 2, 1, 3),
      kernel('Relu_1', 'Relu', 1, 4, 1),
    ];
    expect(costsOf(graph, [events])).toEqual({ a: 4, y: 1 });
  });
});

describe('open sizes', () => {
  const open = (shapes: Record<string, (number | string | null)[] | undefined>) =>
    openModel(
      bytesOf([{ op: 'Concat', inputs: Object.keys(shapes), outputs: ['y'], attributes: { axis: 0 } }], {
        inputs: Object.entries(shapes).map(([name, shape]) => ({
          name,
          dtype: 'float32',
          ...(shape === undefined ? {} : { shape }),
        })),
      }),
    );

  test('every one of every input is named, with how to bind it', () => {
    const graph = open({ a: ['N', 3, 'height'], b: ['N', null], c: [4], d: undefined });
    const error = expectCode(() => checkSizesBound(graph, { N: 1 }, new Map()), 'INVALID_ARGUMENT');
    expect(error.message).toContain("input 'a' is float32[N, 3, height], open: 'height'");
    expect(error.message).toContain("input 'b' is float32[N, ?], open: dimension 1 (no name)");
    expect(error.message).toMatch(/input 'd'.*unknown rank/);
    expect(error.message).not.toContain("'c'");
    expect(error.message).toContain('--dim height=N');
    expect(error.message).toContain('--input FILE');
    expect(error.details).toEqual({ open: ['height'] });
  });

  test('a symbol is quoted as a shell needs it', () => {
    const error = expectCode(() => checkSizesBound(open({ a: ["it's 2*n"] }), {}, new Map()), 'INVALID_ARGUMENT');
    expect(error.message).toContain(String.raw`--dim 'it'\''s 2*n'=N`);
  });

  test('sizes and samples bind them', () => {
    const graph = open({ a: ['N', 'M'], b: [null] });
    const sample = new Map([['b', float32Tensor([1], new Float32Array(1))]]);
    expect(() => checkSizesBound(graph, { N: 1, M: 2 }, sample)).not.toThrow();
    expectCode(() => checkSizesBound(graph, { N: 1 }, sample), 'INVALID_ARGUMENT', /'M'/);
  });
});

test('only a refusal that names an operator is told as one', () => {
  const refusal = (message: string) => new KerfError('MODEL_UNSUPPORTED', message);
  const named = namedRefusal(chain, refusal('Fatal error: com.acme:Foo(-1) is not a registered function/op'), 'cpu');
  expect(named).toMatchObject({ code: 'MODEL_UNSUPPORTED', details: { opType: 'Foo', domain: 'com.acme' } });
  const missing = namedRefusal(chain, refusal('Could not find an implementation for Neg(13) node with name'), 'cpu');
  expect(missing).toMatchObject({ details: { opType: 'Neg', domain: '' } });
  expect((missing as KerfError).message).toContain("operator 'Neg' of domain 'ai.onnx' (node 0, which makes 'v1')");
  const other = refusal('the file is too short');
  expect(namedRefusal(chain, other, 'cpu')).toBe(other);
});

test('a provider that is not there is no fault of the model', () => {
  const refusal = new KerfError(
    'MODEL_UNSUPPORTED',
    'ONNX Runtime refuses the model: no available backend found. ERR: [tpu] backend not found.',
  );
  const named = namedRefusal(chain, refusal, 'tpu') as KerfError;
  expect(named.code).toBe('BACKEND_UNAVAILABLE');
  expect(named.message).toMatch(/^the execution provider 'tpu' is not available on this device: no available backend/);
});
