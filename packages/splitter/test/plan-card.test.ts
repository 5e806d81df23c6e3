// What a plan says beside its choice: sources, runner-up, binding constraint, conflicts, what would change it; and faults.
import { describe, expect, test } from 'vitest';
import {
  type DeviceProfile,
  type Plan,
  type PlanConstraints,
  type PlanRequest,
  plan,
  predict,
  RAW_CODEC,
  type SegmentCost,
  statedLink,
} from '../src/index.ts';
import { calibrate } from '../src/plan/calibrate.ts';
import { diamond, expectCode, graphOf } from './models.ts';
import { device } from './plan-models.ts';

const graph = graphOf(diamond);
/** a is large, b small, c and d large: the one good cut is b. */
const SIZES: Readonly<Record<string, number>> = {
  x: 60_000,
  a: 80_000,
  b: 1000,
  c: 40_000,
  d: 40_000,
  e: 40_000,
  y: 100,
};
const values = Object.entries(SIZES).map(([name, bytes]) => ({
  name,
  dtype: 'float32' as const,
  shape: [bytes / 4],
  bytes,
}));
const edge = device(graph, { ms: [5, 5, 20, 20, 20, 20], values, p99Ratio: 1.5 });
const cloud = device(graph, { ms: [1, 1, 2, 2, 2, 2], values });
const link = statedLink({ uplinkBitsPerSecond: 4e6, roundTripMs: 10 });

function planned(more: Partial<PlanRequest> = {}): Plan {
  const found = plan(graph, { edge, cloud, link, ...more });
  if (found.outcome !== 'planned') throw new Error(`conflict: ${found.conflict.join(', ')}`);
  return found;
}

const placed = ({ choice }: Plan): string =>
  [choice.candidate.placement, ...choice.candidate.crossing.map(({ name }) => name)].join(' ');

test('the cut, its parts and the next best', () => {
  const found = planned();
  expect(placed(found)).toBe('split b');
  // 10 edge, 1000 bytes at 4 Mbit/s, 10 round trip, 8 cloud, 100 bytes back.
  expect(found.choice.prediction.latencyMs).toBeCloseTo(10 + 2 + 10 + 8 + 0.2, 9);
  expect(found.choice.prediction.p99Ms).toBeCloseTo(15 + 2 + 10 + 8 + 0.2, 9);
  expect(found.choice.candidate).toMatchObject({ codec: 'raw', uplinkBytes: 1000, downlinkBytes: 100, headNodes: 2 });
  expect(found.choice.candidate.source).toEqual({ edge: 'nodes', cloud: 'nodes' });
  expect(found.gapMs).toBe(0);
  expect(found.runnerUp?.candidate.placement).toBe('edge');
  expect(found.bestOf.edge?.prediction.latencyMs).toBeCloseTo(90, 9);
  expect(found.bestOf.cloud?.prediction.latencyMs).toBeCloseTo(120 + 10 + 10 + 0.2, 9);
  expect(found.binding).toBeNull();
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test('on a slow link it says do not split, and from where on it would', () => {
  const found = planned({ link: { ...link, uplinkBitsPerSecond: 1e5, downlinkBitsPerSecond: 1e5 } });
  expect(placed(found)).toBe('edge');
  const above = found.changes.find(
    ({ parameter, direction }) => parameter === 'uplinkBitsPerSecond' && direction === 'above',
  );
  expect(above?.becomes?.placement).toBe('split');
  // 90 = 10 + 8000/B + 10 + 8 + 8 (the answer at 100 kbit/s): B = 148 kbit/s.
  expect(above?.value).toBeGreaterThan(148_000);
  expect(above?.value).toBeLessThan(150_000);
});

test('a smaller image takes over where a stated bandwidth allows it', () => {
  const images = [{ name: 'JPEG q90', bytes: 6000, encodeMs: 1, decodeMs: 1, maxLoss: 0.2 }];
  const found = planned({ images });
  expect(placed(found)).toBe('split b');
  const above = found.changes.find(
    ({ parameter, direction }) => parameter === 'uplinkBitsPerSecond' && direction === 'above',
  );
  expect(above?.becomes?.codec).toBe('JPEG q90');
  const value = above?.value ?? 0;
  const at = (candidate: Plan['choice']['candidate'], uplinkBitsPerSecond: number): number =>
    predict(candidate, { ...link, uplinkBitsPerSecond }, 0).latencyMs;
  const jpeg = above?.becomes as Plan['choice']['candidate'];
  expect(at(jpeg, value)).toBeLessThan(at(found.choice.candidate, value));
  expect(at(jpeg, value / 1.05)).toBeGreaterThan(at(found.choice.candidate, value / 1.05));
  expect(placed(planned({ images, link: { ...link, uplinkBitsPerSecond: value * 1.1 } }))).toBe('cloud x');
  expect(
    placed(planned({ images, link: { ...link, uplinkBitsPerSecond: value * 1.1 }, constraints: { maxLoss: 0 } })),
  ).toBe('split b');
});

test('measured heads and tails win over sums, and bend the sums beside them', () => {
  const segment = (more: Partial<SegmentCost>): SegmentCost => ({
    head: null,
    tail: null,
    ms: 0,
    p99Ms: null,
    runs: 50,
    ...more,
  });
  const found = planned({
    edge: { ...edge, segments: [segment({ head: ['b'], ms: 30, p99Ms: 33 })] },
    cloud: { ...cloud, segments: [segment({ tail: ['b'], ms: 9 })] },
  });
  expect(found.choice.candidate).toMatchObject({
    edgeMs: 30,
    edgeP99Ms: 33,
    cloudMs: 9,
    source: { edge: 'measured', cloud: 'measured' },
  });
  const bent = calibrate(Float64Array.of(5, 5, 20, 20, 20, 20), 90, [
    { nodes: Uint8Array.of(1, 1, 0, 0, 0, 0), ms: 30 },
  ]);
  expect([...bent]).toEqual([15, 15, 15, 15, 15, 15]);
  // No curve, and a head that was measured above the whole.
  const flat = calibrate(new Float64Array(4), 8, [{ nodes: Uint8Array.of(1, 1, 0, 0), ms: 10 }]);
  expect([...flat]).toEqual([4, 4, 0, 0]);
});

test('throughput: the slowest stage alone counts', () => {
  const found = planned({ goal: 'throughput' });
  expect(placed(found)).toBe('split b');
  expect(found.choice.prediction).toMatchObject({ slowestStage: 'edge', framesPerSecond: 100 });
  const fast = planned({ goal: 'throughput', link: statedLink({ uplinkBitsPerSecond: 1e9, roundTripMs: 150 }) });
  // Latency would stay on the edge here; frames in flight hide the round trip.
  expect(placed(fast)).toBe('split a');
  expect(fast.choice.prediction.slowestStage).toBe('cloud');
  expect(placed(planned({ link: statedLink({ uplinkBitsPerSecond: 1e9, roundTripMs: 150 }) }))).toBe('edge');
  const inTime = planned({
    goal: 'throughput',
    link: statedLink({ uplinkBitsPerSecond: 1e9, roundTripMs: 150 }),
    constraints: { deadlineMs: 140 },
  });
  expect(placed(inTime)).toBe('edge');
  expect(inTime.binding?.constraint).toBe('deadlineMs');
});

test('constraints: the one that costs most is named, with what it costs', () => {
  const found = planned({ constraints: { keepOnEdge: ['c'], noRawInput: true } });
  // c, its maker and its user stay: the cut moves behind d.
  expect(placed(found)).toMatch(/^(edge|split [de])/);
  expect(found.binding?.constraint).toBe('keepOnEdge');
  expect(found.binding?.without.prediction.latencyMs).toBeCloseTo(30.2, 9);
  const light = planned({ constraints: { maxEdgeWeightsBytes: 0 } });
  // Only the first node has no weight.
  expect(light.choice.candidate.edgeWeightsBytes).toBe(0);
  expect(light.binding?.constraint).toBe('maxEdgeWeightsBytes');
  expect(light.gapMs).toBe(0);
});

test.each<[PlanConstraints, readonly string[]]>([
  [{ deadlineMs: 1 }, ['deadlineMs']],
  [{ keepOnEdge: ['y'], maxEdgeWeightsBytes: 4, maxLoss: 0 }, ['keepOnEdge', 'maxEdgeWeightsBytes']],
  [{ maxLoss: 0, noRawInput: true, keepOnEdge: ['b'], deadlineMs: 50 }, ['keepOnEdge', 'deadlineMs']],
])('%j cannot be kept: %j', (constraints, conflict) => {
  const found = plan(graph, { edge, cloud, link, constraints });
  expect(found.outcome).toBe('unsatisfiable');
  if (found.outcome === 'unsatisfiable') expect([...found.conflict].sort()).toEqual([...conflict].sort());
});

test('costs given by hand need no measurement', () => {
  const byHand: DeviceProfile = {
    ...edge,
    nodes: edge.nodes.map((node, at) => ({ index: null, name: 'abcdey'[at] ?? '', opType: node.opType, ms: node.ms })),
    wholeMs: null,
    wholeP99Ms: null,
  };
  const found = planned({ edge: byHand });
  expect(placed(found)).toBe('split b');
  expect(found.bestOf.edge?.candidate.source.edge).toBe('nodes');
  expect(found.unpriced).toEqual({ edge: 0, cloud: 0 });
  expect(planned({ edge: { ...byHand, nodes: byHand.nodes.slice(2) } }).unpriced.edge).toBe(2);
});

describe('faults', () => {
  const refused = (
    more: Partial<PlanRequest>,
    message: RegExp,
    code: 'INVALID_ARGUMENT' | 'CUT_UNKNOWN_TENSOR' = 'INVALID_ARGUMENT',
  ) => expectCode(() => plan(graph, { edge, cloud, link, ...more }), code, message);

  test('profiles of different models, sizes or graphs', () => {
    refused(
      { cloud: { ...cloud, model: { file: 'o.onnx', sha256: 'cd'.repeat(32) } } },
      /cloud profile is of another model/,
    );
    const shapes = (size: number) => ({ inputShapes: { x: [size] } });
    refused(
      { edge: { ...edge, ...shapes(1) }, cloud: { ...cloud, ...shapes(2) } },
      /different sizes: input 'x' is \[1\]/,
    );
    refused(
      { edge: { ...edge, nodes: [{ index: 99, name: '', opType: 'Relu', ms: 1 }] } },
      /edge profile has a node 99/,
    );
    refused(
      { edge: { ...edge, nodes: [{ index: 0, name: '', opType: 'Conv', ms: 1 }] } },
      /node 0 of type Conv \(here it is Relu\)/,
    );
    const strange = { head: ['zz'], tail: null, ms: 1, p99Ms: null, runs: 1 };
    refused({ edge: { ...edge, segments: [strange] } }, /edge profile has a tensor 'zz'/);
  });

  test('sizes unknown, names unknown, absurd limits', () => {
    const open = values.map((value) => ({ ...value, bytes: null, shape: null }));
    refused({ edge: { ...edge, values: open }, cloud: { ...cloud, values: open } }, /--dim NAME=N/);
    refused(
      { constraints: { keepOnEdge: ['bb'] } },
      /no value or node 'bb' to keep; did you mean 'b'/,
      'CUT_UNKNOWN_TENSOR',
    );
    refused({ constraints: { deadlineMs: Number.NaN } }, /deadlineMs must be a number/);
    refused({ constraints: { maxEdgeWeightsBytes: -1 } }, /maxEdgeWeightsBytes must be a number/);
  });

  test('no codec that takes a value: nothing can be sent', () => {
    const none = { ...RAW_CODEC, name: 'half', bitsPerValue: 16, dtypes: ['float64' as const] };
    expect(placed(planned({ codecs: [none] }))).toBe('edge');
  });
});
