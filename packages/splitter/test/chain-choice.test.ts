// The cuts of a chain against every nested set of cuts, and their regret against the planner on every link.
import { type BuildNode, buildModel, type ModelGraph, openModel } from '@kerf/onnx';
import { float32Tensor, type Random, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { type CutOption, type Market, priceCuts } from '../src/chain/price-cuts.ts';
import { compareScores, type Score, scoreOf } from '../src/chain/score-cuts.ts';
import { selectCuts } from '../src/chain/select-cuts.ts';
import {
  chooseCuts,
  DEFAULT_LINKS,
  type DeviceProfile,
  type LinkGrid,
  logSpaced,
  type ProfiledValue,
  plan,
  planChain,
  statedLink,
} from '../src/index.ts';
import { workGraph } from '../src/work-graph.ts';
import { add, diamond, expectCode, float, graphOf, relu } from './models.ts';
import { device } from './plan-models.ts';

const value = (name: string, bytes: number): ProfiledValue => ({ name, dtype: 'float32', shape: [bytes / 4], bytes });

/** A node after another; `sizes` of x, v0, v1, ... in bytes. */
function line(sizes: readonly number[], edgeMs: readonly number[], cloudMs: readonly number[]) {
  const nodes = edgeMs.map((_, at) => ({
    op: 'Sigmoid',
    inputs: [at === 0 ? 'x' : `v${at - 1}`],
    outputs: [at === edgeMs.length - 1 ? 'y' : `v${at}`],
  }));
  const graph = graphOf(nodes);
  const values = [...sizes.map((bytes, at) => value(at === 0 ? 'x' : `v${at - 1}`, bytes)), value('y', 4)];
  return { graph, edge: device(graph, { ms: edgeMs, values }), cloud: device(graph, { ms: cloudMs, values }) };
}

/** Ever smaller values, ever slower: each cut is the best somewhere. */
const tapering = line([4e6, 4e5, 4e4, 4e3, 4e2, 4e2], [1, 10, 40, 90, 160, 250], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);

function randomCase(seed: number): { graph: ModelGraph; edge: DeviceProfile; cloud: DeviceProfile } {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const names = ['x'];
  const nodes = Array.from({ length: 4 + Math.floor(random() * 6) }, (_, at): BuildNode => {
    const inputs = random() < 0.5 ? [pick(names.slice(-3))] : [pick(names.slice(-3)), pick(names)];
    names.push(`v${at}`);
    return { op: inputs.length === 1 ? 'Sigmoid' : 'Max', inputs, outputs: [`v${at}`] };
  });
  const last = names.at(-1) ?? '';
  const graph = graphOf(nodes, { outputs: [float(last)] });
  // Smaller towards the end, as in most models, so that several cuts have their links.
  const values = names.map((name, at) =>
    value(name, 4 * Math.ceil(10 ** (5.5 - (4 * at) / names.length + random() * 1.5))),
  );
  const times = (scale: number): number[] => workGraph(graph).nodes.map((_, at) => scale * 10 ** (random() + at / 6));
  return {
    graph,
    edge: device(graph, { ms: times(seed % 4 === 0 ? 0.1 : 8), values }),
    cloud: device(graph, { ms: times(0.1), values }),
  };
}

const COARSE: LinkGrid = {
  uplinkBitsPerSecond: logSpaced(1e5, 1e9).filter((_, at) => at % 4 === 0),
  roundTripMs: [1, 14, 200],
};

function isInside(inner: CutOption, outer: CutOption): boolean {
  return inner.head.size < outer.head.size && [...inner.head].every((at) => outer.head.has(at));
}

/** Every nested set of at most `most` options. */
function* nestedSets(options: readonly CutOption[], most: number, chosen: CutOption[] = []): Generator<CutOption[]> {
  yield chosen;
  if (chosen.length === most) return;
  for (const option of options) {
    const last = chosen.at(-1);
    if (last === undefined || isInside(last, option)) yield* nestedSets(options, most, [...chosen, option]);
  }
}

function scoreOfSet(market: Market, set: readonly CutOption[], countsSplits: boolean): Score {
  const ms = market.cloudMs.map((_, at) =>
    Math.min(Number.POSITIVE_INFINITY, ...set.map((one) => one.ms[at] as number)),
  );
  return scoreOf(market, ms, set.length, countsSplits);
}

const closeTo = (score: Score): unknown => ({
  regret: { worst: expect.closeTo(score.regret.worst, 8), mean: expect.closeTo(score.regret.mean, 8) },
  splitLoss: score.splitLoss && {
    worst: expect.closeTo(score.splitLoss.worst, 6),
    mean: expect.closeTo(score.splitLoss.mean, 6),
  },
  cuts: score.cuts,
});

test('the chosen set is the best of all nested sets, on random graphs and devices', () => {
  const seen = { sets: 0, withRegret: 0, withoutCuts: 0 };
  for (let seed = 1; seed <= 250; seed++) {
    const { graph, ...devices } = randomCase(seed);
    const market = priceCuts(graph, devices, COARSE);
    for (const most of [1, 2, 5]) {
      const sets = [...nestedSets(market.options, most)];
      const best = sets.map((set) => scoreOfSet(market, set, false)).sort(compareScores)[0] as Score;
      const found = selectCuts(market, { most });
      expect(found?.isExact).toBe(true);
      expect(found?.score, `seed ${seed}, at most ${most}`).toEqual(closeTo(best));
      seen.sets += sets.length;
      if (best.regret.worst > 1e-6) seen.withRegret++;
      if (best.cuts === 0) seen.withoutCuts++;
    }
    const exact = [...nestedSets(market.options, 2)].filter((set) => set.length === 2);
    const wanted = exact.map((set) => scoreOfSet(market, set, true)).sort(compareScores)[0];
    const two = selectCuts(market, { most: 2, exactly: true });
    if (wanted === undefined) expect(two).toBeNull();
    else expect(two?.score, `seed ${seed}, exactly 2`).toEqual(closeTo(wanted));
  }
  // The cases are not all trivial.
  expect(seen.sets).toBeGreaterThan(5000);
  expect(seen.withRegret, JSON.stringify(seen)).toBeGreaterThan(20);
  expect(seen.withoutCuts).toBeGreaterThan(20);
});

test('the best on every link is what the planner says there', () => {
  const near = (random: Random, list: readonly number[]): number => Math.floor(random() * list.length);
  for (let seed = 1; seed <= 60; seed++) {
    const { graph, ...devices } = randomCase(seed);
    const market = priceCuts(graph, devices, DEFAULT_LINKS);
    const random = seededRandom(seed);
    const at = near(random, DEFAULT_LINKS.uplinkBitsPerSecond);
    const roundTripMs = DEFAULT_LINKS.roundTripMs[near(random, DEFAULT_LINKS.roundTripMs)] ?? 0;
    const uplinkBitsPerSecond = DEFAULT_LINKS.uplinkBitsPerSecond[at] ?? 0;
    const found = plan(graph, { ...devices, link: statedLink({ uplinkBitsPerSecond, roundTripMs }) });
    if (found.outcome !== 'planned') throw new Error('nothing was asked to be kept');
    const remote = Math.min(market.cloudMs[at] as number, market.splitMs[at] as number) + roundTripMs;
    expect(Math.min(market.edgeMs, remote), `seed ${seed}`).toBeCloseTo(found.choice.prediction.latencyMs, 6);
  }
});

test('every cut that is the best somewhere is in the chain, nested, with its reign', () => {
  const { graph, edge, cloud } = tapering;
  const { cuts, choice, splitLoss } = chooseCuts(graph, { edge, cloud });
  expect(cuts.map(({ tensors }) => tensors)).toEqual([['v0'], ['v1'], ['v2'], ['v3']]);
  expect(choice).toMatchObject({ optimalCuts: 4, regret: { worst: 0, mean: 0 }, isExact: true });
  expect(choice.expected?.map(({ edgeMs }) => edgeMs)).toEqual([0, 1, 11, 51, 141, 551]);
  const cloudMs = [0.6, 0.5, 0.4, 0.3, 0.2, 0].map((ms) => expect.closeTo(ms, 9));
  expect(choice.expected?.map((expected) => expected.cloudMs)).toEqual(cloudMs);
  expect(choice.links).toEqual({ count: 41 * 25, uplinkBitsPerSecond: [1e5, 1e9], roundTripMs: [1, 200] });
  expect(splitLoss).toBeNull();
  const uplinks = cuts.map(({ reign }) => reign?.uplinkBitsPerSecond[0] ?? 0);
  expect(uplinks, 'the further in, the slower the link').toEqual(uplinks.toSorted((left, right) => right - left));
  const shares = [choice.edge, choice.cloud, ...cuts.map(({ reign }) => reign)].map((reign) => reign?.share ?? 0);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  planChain(
    graph,
    cuts.map(({ tensors }) => tensors),
  );
});

test('with fewer segments the regret is told, and grows as they go', () => {
  const { graph, edge, cloud } = tapering;
  const worst = [6, 5, 4, 3, 2, 1].map(
    (maxSegments) => chooseCuts(graph, { edge, cloud, maxSegments }).choice.regret.worst,
  );
  expect(worst).toEqual(worst.toSorted((left, right) => left - right));
  expect(worst.slice(0, 2)).toEqual([0, 0]);
  expect(worst[2]).toBeGreaterThan(0.01);
});

test('cuts that are the best on different links and not nested: the set that is missed least', () => {
  // Two towers. The far end of p is small and slow to reach on the edge; the one of q is fast there and large.
  const exp = (from: string, to: string): BuildNode => ({ op: 'Exp', inputs: [from], outputs: [to] });
  const graph = graphOf([relu('x', 'p1'), relu('x', 'q1'), exp('p1', 'p2'), exp('q1', 'q2'), add('p2', 'q2', 'y')]);
  const sizes = { x: 4e6, p1: 4e4, q1: 4e3, p2: 4e3, q2: 4e4, y: 4 };
  const values = Object.entries(sizes).map(([name, bytes]) => value(name, bytes));
  const edge = device(graph, { ms: [1, 1, 100, 5, 2000], values });
  const cloud = device(graph, { ms: [0.1, 0.1, 40, 40, 0.1], values });
  const { cuts, choice } = chooseCuts(graph, { edge, cloud });
  expect(choice.optimalCuts).toBe(3);
  expect(cuts.map(({ tensors }) => [...tensors].sort())).toEqual([
    ['p1', 'q1'],
    ['p2', 'q1'],
  ]);
  expect(choice.regret.worst).toBeGreaterThan(0.5);
  expect(choice.isExact).toBe(true);
  planChain(
    graph,
    cuts.map(({ tensors }) => tensors),
  );
});

describe('where no split is ever the best', () => {
  const slowLink = line([400, 4e6, 4e6, 4e6], [1, 1, 1, 1], [1, 1, 1, 1]);

  test('there is no cut, and the edge reigns', () => {
    const { cuts, choice } = chooseCuts(slowLink.graph, slowLink);
    expect(cuts).toEqual([]);
    expect(choice).toMatchObject({ optimalCuts: 0, regret: { worst: 0, mean: 0 }, cloud: null, edge: { share: 1 } });
  });

  test('those that lose least when asked for, and the loss', () => {
    const { cuts, choice, splitLoss } = chooseCuts(slowLink.graph, { ...slowLink, cuts: 2 });
    expect(cuts).toHaveLength(2);
    expect(cuts.every(({ reign }) => reign === null)).toBe(true);
    expect(choice.regret).toEqual({ worst: 0, mean: 0 });
    expect(splitLoss?.worst).toBeGreaterThan(1);
    expect(() => chooseCuts(slowLink.graph, { ...slowLink, cuts: 4 })).toThrow(/no 4 nested cuts/);
    expect(chooseCuts(slowLink.graph, { ...slowLink, cuts: 0 }).cuts).toEqual([]);
  });
});

test('an image that is smaller than any cut leaves none', () => {
  const { graph, edge, cloud } = tapering;
  const images = [{ name: 'PNG', bytes: 100, encodeMs: 0.1, decodeMs: 0.1, maxLoss: 0 }];
  expect(chooseCuts(graph, { edge, cloud, images }).cuts).toEqual([]);
});

test('no cut lies between operators that the runtime fuses', () => {
  const size = 8;
  const exp = (from: string, to: string): BuildNode => ({ op: 'Exp', inputs: [from], outputs: [to] });
  const matrix = { name: 'm', tensor: float32Tensor([size, size], new Float32Array(size * size)) };
  const bias = { name: 'b', tensor: float32Tensor([size], new Float32Array(size)) };
  const wide = (name: string) => float(name, [1, size]);
  const graph = openModel(
    buildModel({
      nodes: [{ op: 'MatMul', inputs: ['x', 'm'], outputs: ['h'] }, add('h', 'b', 'a'), exp('a', 'r'), exp('r', 'y')],
      inputs: [wide('x')],
      outputs: [wide('y')],
      initializers: [matrix, bias],
    }),
  );
  const values = Object.entries({ x: 4e6, h: 4, a: 8, r: 8, y: 4 }).map(([name, bytes]) => value(name, bytes));
  const edge = device(graph, { ms: [1, 10, 10, 10], values });
  const cloud = device(graph, { ms: [0.1, 0.1, 0.1, 0.1], values });
  const { cuts } = chooseCuts(graph, { edge, cloud });
  expect(cuts.map(({ tensors }) => tensors)).toEqual([['a']]);
});

test('what cannot be is refused', () => {
  const { graph, edge, cloud } = tapering;
  expectCode(() => chooseCuts(graph, { edge, cloud, maxSegments: 7 }), 'INVALID_ARGUMENT', /maxSegments/);
  expectCode(() => chooseCuts(graph, { edge, cloud, maxSegments: 2, cuts: 2 }), 'INVALID_ARGUMENT', /cuts must be/);
  expectCode(() => chooseCuts(graph, { edge, cloud, cuts: 1.5 }), 'INVALID_ARGUMENT', /cuts must be/);
  const foreign = { ...cloud, model: { file: 'other.onnx', sha256: 'cd'.repeat(32) } };
  expectCode(() => chooseCuts(graph, { edge, cloud: foreign }), 'INVALID_ARGUMENT', /another model/);
  expectCode(() => chooseCuts(graphOf(diamond), { edge, cloud }), 'INVALID_ARGUMENT');
});

test('the grid has its ends and even steps', () => {
  expect(DEFAULT_LINKS.uplinkBitsPerSecond).toHaveLength(41);
  expect([DEFAULT_LINKS.uplinkBitsPerSecond[0], DEFAULT_LINKS.uplinkBitsPerSecond.at(-1)]).toEqual([1e5, 1e9]);
  expect([DEFAULT_LINKS.roundTripMs[0], DEFAULT_LINKS.roundTripMs.at(-1)]).toEqual([1, 200]);
  expect(logSpaced(5, 5)).toEqual([5, 5]);
});
