// The curve of latency against the uplink: against plans made at each point, and at its cross-overs.
import { seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { type Curve, type PlanRequest, plan, planCurve, predict, statedLink } from '../src/index.ts';
import { graphOf } from './models.ts';
import { device } from './plan-models.ts';

/** A chain with side branches, whose values shrink unevenly. */
function ladder(seed: number): { graph: ReturnType<typeof graphOf>; request: PlanRequest } {
  const random = seededRandom(seed);
  const steps = 12;
  const nodes = Array.from({ length: steps }, (_, at) => [
    { op: 'Sqrt', inputs: [at === 0 ? 'x' : `s${at - 1}`], outputs: [`a${at}`] },
    { op: 'Exp', inputs: [at === 0 ? 'x' : `s${at - 1}`], outputs: [`b${at}`] },
    { op: 'Sum', inputs: [`a${at}`, `b${at}`], outputs: [at === steps - 1 ? 'y' : `s${at}`] },
  ]).flat();
  const graph = graphOf(nodes);
  const names = ['x', ...nodes.flatMap(({ outputs }) => outputs)];
  const values = names.map((name, at) => {
    const size = Math.ceil((200_000 * random()) / (1 + at));
    return { name, dtype: 'float32' as const, shape: [size], bytes: 4 * size };
  });
  const ms = (most: number): number[] => nodes.map(() => most * random());
  return {
    graph,
    request: {
      edge: device(graph, { ms: ms(12), values, p99Ratio: 1.3 }),
      cloud: device(graph, { ms: ms(1.5), values }),
      link: statedLink({ uplinkBitsPerSecond: 1e7, roundTripMs: 15 }),
      waitMs: 1,
    },
  };
}

const best = (curve: Curve, at: number): number =>
  Math.min(
    ...[curve.edge, curve.cloud, curve.split].map((row) => row[at]?.prediction.latencyMs ?? Number.POSITIVE_INFINITY),
  );

test('each point is what a plan at that uplink says', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { graph, request } = ladder(seed);
    const curve = planCurve(graph, request);
    expect(curve.uplinkBitsPerSecond[0]).toBe(1e5);
    expect(curve.uplinkBitsPerSecond.at(-1)).toBeCloseTo(1e9, 0);
    curve.uplinkBitsPerSecond.forEach((uplinkBitsPerSecond, at) => {
      const found = plan(graph, { ...request, link: { ...request.link, uplinkBitsPerSecond } });
      if (found.outcome !== 'planned') throw new Error('nothing forbids the edge');
      expect(best(curve, at) / found.choice.prediction.latencyMs, `seed ${seed}, point ${at}`).toBeCloseTo(1, 6);
      const split = found.bestOf.split?.prediction.latencyMs ?? 0;
      expect((curve.split[at]?.prediction.latencyMs ?? 0) / split, `seed ${seed}, point ${at}`).toBeLessThan(1 + 1e-6);
    });
  }
});

test('at a cross-over both placements take the same time, and each reigns on its side', () => {
  let crossings = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const { graph, request } = ladder(seed);
    const { reigns } = planCurve(graph, request);
    expect(reigns[0]?.fromBitsPerSecond).toBe(1e5);
    const at = (reign: Curve['reigns'][number] | undefined, uplinkBitsPerSecond: number): number => {
      if (reign === undefined) throw new Error('no such reign');
      return predict(reign.candidate, { ...request.link, uplinkBitsPerSecond }, 1).latencyMs;
    };
    for (let next = 1; next < reigns.length; next++) {
      const [before, after] = [reigns[next - 1], reigns[next]];
      const change = after?.fromBitsPerSecond ?? 0;
      expect(at(before, change) / at(after, change), `seed ${seed}`).toBeCloseTo(1, 4);
      expect(at(before, change / 1.02)).toBeLessThan(at(after, change / 1.02));
      expect(at(before, change * 1.02)).toBeGreaterThan(at(after, change * 1.02));
      crossings++;
    }
  }
  expect(crossings).toBeGreaterThan(20);
});

test('below the uplink at which the deadline can be kept, nothing reigns', () => {
  const { graph, request } = ladder(3);
  const middle = plan(graph, { ...request, link: { ...request.link, uplinkBitsPerSecond: 4e7 } });
  if (middle.outcome !== 'planned') throw new Error('nothing forbids the edge');
  const constraints = { deadlineMs: middle.choice.prediction.p99Ms };
  const curve = planCurve(graph, { ...request, constraints });
  expect(curve.edge.every((one) => one === null)).toBe(true);
  const from = curve.reigns[0]?.fromBitsPerSecond ?? 0;
  const outcome = (uplinkBitsPerSecond: number): string =>
    plan(graph, { ...request, constraints, link: { ...request.link, uplinkBitsPerSecond } }).outcome;
  expect(from).toBeGreaterThan(1e5);
  expect([outcome(from / 1.01), outcome(from * 1.01)]).toEqual(['unsatisfiable', 'planned']);
});

test('for throughput the edge is beaten where the slowest stage is shorter', () => {
  const { graph, request } = ladder(5);
  const curve = planCurve(graph, { ...request, goal: 'throughput' });
  for (const [at, uplinkBitsPerSecond] of curve.uplinkBitsPerSecond.entries()) {
    if (at % 6 !== 0) continue;
    const found = plan(graph, { ...request, goal: 'throughput', link: { ...request.link, uplinkBitsPerSecond } });
    if (found.outcome !== 'planned') throw new Error('nothing forbids the edge');
    const frames = [curve.edge, curve.cloud, curve.split].map((row) => row[at]?.prediction.framesPerSecond ?? 0);
    const slowestMs = 1000 / Math.max(...frames);
    expect(slowestMs).toBeGreaterThanOrEqual(1000 / found.choice.prediction.framesPerSecond - found.gapMs - 1e-6);
    expect(slowestMs / (1000 / found.choice.prediction.framesPerSecond)).toBeLessThan(1.1);
  }
});
