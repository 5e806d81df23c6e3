// What the planner expects of routes, priced by the controller's own sum -> the planner's latency.
import { buildModel, openModel } from '@kerf/onnx';
import type { ChainManifest } from '@kerf/protocol';
import { type DeviceProfile, type PlanRequest, predict, priceDivisions, statedLink } from '@kerf/splitter';
import { expect, it } from 'vitest';
import { chainPriors } from '../../src/placement/chain-priors.ts';
import { CostBook } from '../../src/placement/cost-book.ts';
import { LinkEstimator } from '../../src/placement/link-estimator.ts';
import { planPriors } from '../../src/placement/plan-priors.ts';
import type { Route } from '../../src/placement/routes.ts';

const value = (name: string, count: number) => ({ name, dtype: 'float32' as const, shape: [1, count] });
const SIZES = { x: 4e6, a: 4e5, b: 4e4, y: 400 };
const model = openModel(
  buildModel({
    nodes: [
      { op: 'Sin', inputs: ['x'], outputs: ['a'] },
      { op: 'Exp', inputs: ['a'], outputs: ['b'] },
      { op: 'Abs', inputs: ['b'], outputs: ['y'] },
    ],
    inputs: [value('x', 8)],
    outputs: [value('y', 8)],
  }),
);

function profile(ms: readonly number[]): DeviceProfile {
  return {
    format: 'kerf-profile/1',
    model: { file: 'm.onnx', sha256: '0'.repeat(64) },
    device: { name: 'd', processor: 'none', logicalCores: 1, system: 'none' },
    provider: 'cpu',
    threads: 1,
    versions: {},
    date: '2026-11-26T00:00:00Z',
    inputShapes: { x: [1, 8] },
    nodes: model.nodes.map(({ index, record }, at) => ({ index, name: '', opType: record.opType, ms: ms[at] ?? 0 })),
    nodeTimesFrom: null,
    segments: [],
    wholeMs: ms.reduce((sum, one) => sum + one, 0),
    wholeP99Ms: null,
    values: Object.entries(SIZES).map(([name, bytes]) => ({ name, dtype: 'float32', shape: [bytes / 4], bytes })),
    memory: [],
    crossing: { perFrameMs: 2, perMegabyteMs: 1 },
  };
}

const link = statedLink({ uplinkBitsPerSecond: 8e6, roundTripMs: 25 });
const request: PlanRequest = { edge: profile([10, 60, 130]), cloud: profile([1, 4, 9]), link };
const cuts = [{ tensors: ['a'] }, { tensors: ['b'] }];

it('the controller prices routes as the planner does', () => {
  const priors = planPriors(model, request, cuts);
  expect([...priors.keys()]).toEqual(['cloud', 'cut-1', 'cut-2', 'edge']);
  const routes = [...priors].map(([name, { uplinkBytes }], at): Route => {
    const kind = name === 'cloud' ? 'cloud' : name === 'edge' ? 'edge' : 'split';
    return { name, kind, at, crossing: [], uplinkBytes, refusal: null };
  });
  const costs = new CostBook(routes, 3, priors);
  const estimator = new LinkEstimator();
  estimator.onRoundTrip(25, 0);
  estimator.onProbe(100_000, 0, 125, 0);
  const prices = priceDivisions(model, request, [['a'], ['b']]);
  const planned = [prices.cloud, ...prices.cuts, prices.edge];
  for (const [at, route] of routes.entries()) {
    const candidate = planned[at];
    if (candidate == null) throw new Error(`no price for ${route.name}`);
    const expected = predict(candidate, link, 0).latencyMs;
    expect(costs.price(route, estimator.at(0), 0)?.ms, route.name).toBeCloseTo(expected, 6);
  }
});

it('what is measured on one route corrects what is expected of the others', () => {
  const priors = planPriors(model, request, cuts);
  const route = (name: string, at: number): Route => {
    return { name, kind: name === 'edge' ? 'edge' : 'split', at, crossing: [], uplinkBytes: 0, refusal: null };
  };
  const routes = [route('cut-1', 1), route('cut-2', 2), route('edge', 3)];
  const costs = new CostBook(routes, 3, priors);
  const estimator = new LinkEstimator();
  estimator.onRoundTrip(25, 0);
  estimator.onProbe(100_000, 0, 125, 0);
  const before = costs.price(routes[1] as Route, estimator.at(0), 0);
  // The device is half as fast as its profile says, the cloud twice as slow.
  costs.onSegment(0, 20, 0);
  const spans = {
    queueMs: 0,
    decodeMs: 0,
    computeMs: 0,
    totalMs: 2 * (priors.get('cut-1')?.cloudMs ?? 0),
    batchRows: 1,
  };
  costs.onAnswer('cut-1', { encodeMs: 0, bytesUp: SIZES.a, bytesDown: SIZES.y, cloud: spans }, 0);
  const after = costs.price(routes[1] as Route, estimator.at(0), 0);
  const more = (name: string): number => (after?.terms.get(name)?.ms ?? 0) / (before?.terms.get(name)?.ms ?? 0);
  expect([more('segment 0'), more('segment 1'), more('cloud cut-2')].map((ratio) => Number(ratio.toFixed(6)))).toEqual([
    2, 2, 2,
  ]);
  expect(after?.isMeasured).toBe(false);
});

it('a route that a constraint refuses has no price', () => {
  const priors = planPriors(model, { ...request, constraints: { noRawInput: true } }, cuts);
  expect([...priors.keys()]).toEqual(['cut-1', 'cut-2', 'edge']);
});

it('a chain whose cuts profiles chose brings them along; one that was cut by hand brings none', () => {
  const expected = [9, 5, 2, 0].map((cloudMs, at) => ({ edgeMs: 100 * at, cloudMs, downlinkBytes: 8 }));
  const segments = Array.from({ length: 3 });
  const chosen = { segments, choice: { expected } } as unknown as ChainManifest;
  const priors = chainPriors(chosen);
  expect([...priors.keys()]).toEqual(['cloud', 'cut-1', 'cut-2', 'edge']);
  expect(priors.get('cut-2')).toEqual({ edgeMs: 200, cloudMs: 2, downlinkBytes: 8, encodeMs: 0, uplinkBytes: null });
  // Bytes are those of the route: its codec may be newer than the profiles.
  const route: Route = { name: 'cut-1', kind: 'split', at: 1, crossing: [], uplinkBytes: 1e5, refusal: null };
  const first: Route = { ...route, name: 'cloud', kind: 'cloud', at: 0 };
  const estimator = new LinkEstimator();
  estimator.onRoundTrip(25, 0);
  estimator.onProbe(100_000, 0, 125, 0);
  expect(new CostBook([first, route], 3, priors).price(route, estimator.at(0), 0)?.ms).toBeCloseTo(
    100 + 100 + 25 + 5,
    1,
  );
  expect(chainPriors({ ...chosen, choice: null }).size).toBe(0);
});
