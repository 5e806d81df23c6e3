// The least cut and the cut within a memory limit against every down-set of random graphs.

import { seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { boundedCut } from '../src/plan/bounded-cut.ts';
import { CutNetwork, type CutProblem, type CutValue, type Division, divisionOf, PIN } from '../src/plan/min-cut.ts';

const GRAPHS = 1000;

/** Up to 14 nodes; fan-out, pins, values that may not cross, shared weights, costs with ties and zeros. */
function randomProblem(seed: number): CutProblem {
  const random = seededRandom(seed);
  const whole = (most: number): number => Math.floor(random() * (most + 1));
  const count = 1 + whole(13);
  const cost = (): number => (random() < 0.2 ? whole(3) : random() * 10);
  const consumers: number[][] = Array.from({ length: count }, () => []);
  const inputs: number[][] = Array.from({ length: 1 + whole(1) }, () => []);
  for (let node = 0; node < count; node++) {
    const degree = 1 + whole(2);
    const reads = new Set<number>();
    for (let at = 0; at < degree; at++) reads.add(whole(node) - 1 - (random() < 0.1 ? node : 0));
    for (const from of reads) (from < 0 ? inputs[whole(inputs.length - 1)] : consumers[from])?.push(node);
  }
  const secret = random() < 0.3;
  const value = (producer: number, list: number[]): CutValue => {
    const isSecret = (producer < 0 && secret) || random() < 0.08;
    return { producer, consumers: [...new Set(list)], crossCost: isSecret ? Number.POSITIVE_INFINITY : 2 * cost() };
  };
  const pinRate = random() < 0.5 ? 0 : 0.1;
  return {
    edgeCost: Float64Array.from({ length: count }, cost),
    cloudCost: Float64Array.from({ length: count }, () => cost() / 4),
    values: [...inputs.map((list) => value(-1, list)), ...consumers.map((list, node) => value(node, list))].filter(
      (one) => one.consumers.length > 0,
    ),
    pins: Uint8Array.from({ length: count }, () => (random() < pinRate ? 1 + whole(1) : PIN.free)),
    weights: Array.from({ length: count }, (_, node) => ({
      bytes: whole(1000),
      nodes: random() < 0.15 ? [...new Set([node, whole(count - 1)])] : [node],
    })),
  };
}

/** The cheapest of all divisions, tried one by one. */
function bruteForce(problem: CutProblem, maxWeightsBytes = Number.POSITIVE_INFINITY): Division | null {
  const count = problem.edgeCost.length;
  let best: Division | null = null;
  for (let mask = 0; mask < 2 ** count; mask++) {
    const onEdge = Uint8Array.from({ length: count }, (_, node) => (mask >> node) & 1);
    const wrong = problem.pins.some((pin, node) => pin !== PIN.free && (pin === PIN.edge) !== (onEdge[node] === 1));
    if (wrong) continue;
    const division = divisionOf(problem, onEdge);
    if (division.weightsBytes > maxWeightsBytes || !Number.isFinite(division.cost)) continue;
    if (best === null || division.cost < best.cost) best = division;
  }
  return best;
}

test(`the least cut equals brute force over all down-sets of ${GRAPHS} random graphs`, () => {
  let unsatisfiable = 0;
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const problem = randomProblem(seed);
    const wanted = bruteForce(problem);
    const found = new CutNetwork(problem).solve();
    if (wanted === null || found === null) {
      expect(found, `seed ${seed}`).toBe(wanted);
      unsatisfiable++;
    } else expect(found.cost, `seed ${seed}`).toBeCloseTo(wanted.cost, 8);
  }
  expect(unsatisfiable).toBeGreaterThan(0);
  expect(unsatisfiable).toBeLessThan(GRAPHS / 3);
}, 120_000);

test(`within a memory limit the result is the best of all down-sets of ${GRAPHS} random graphs, its gap true`, () => {
  const seen = { unsatisfiable: 0, binding: 0 };
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const problem = randomProblem(seed + 10_000);
    const total = problem.weights.reduce((sum, { bytes }) => sum + bytes, 0);
    const limit = total * seededRandom(seed)();
    const wanted = bruteForce(problem, limit);
    const found = boundedCut(problem, limit);
    if (wanted === null || found === null) {
      expect(found, `seed ${seed}`).toBe(wanted);
      seen.unsatisfiable++;
      continue;
    }
    expect(found.gap, `seed ${seed}`).toBe(0);
    expect(found.best.weightsBytes).toBeLessThanOrEqual(limit);
    expect(found.best.cost, `seed ${seed}`).toBeCloseTo(wanted.cost, 5);
    const free = new CutNetwork(problem).solve();
    if (free !== null && free.cost < wanted.cost - 1e-6) seen.binding++;
  }
  expect(seen.binding).toBeGreaterThan(200);
  expect(seen.unsatisfiable).toBeGreaterThan(0);
}, 240_000);

test('cut short, the gap is reported and holds', () => {
  let open = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const problem = randomProblem(seed + 50_000);
    const total = problem.weights.reduce((sum, { bytes }) => sum + bytes, 0);
    const found = boundedCut(problem, total / 3, { maxSolves: 1 });
    const wanted = bruteForce(problem, total / 3);
    if (found === null || wanted === null) continue;
    if (found.gap > 0) open++;
    expect(found.lowerBound, `seed ${seed}`).toBeLessThanOrEqual(wanted.cost + 1e-6);
    expect(found.best.cost, `seed ${seed}`).toBeGreaterThanOrEqual(wanted.cost - 1e-6);
  }
  expect(open).toBeGreaterThan(0);
});

test('a value with many consumers is paid once', () => {
  const problem: CutProblem = {
    edgeCost: Float64Array.of(1, 9, 9, 9),
    cloudCost: Float64Array.of(50, 1, 1, 1),
    values: [
      { producer: -1, consumers: [0], crossCost: 40 },
      { producer: 0, consumers: [1, 2, 3], crossCost: 10 },
    ],
    pins: new Uint8Array(4),
    weights: [],
  };
  const found = new CutNetwork(problem).solve();
  expect(found).toMatchObject({ cost: 14, onEdge: Uint8Array.of(1, 0, 0, 0) });
});
