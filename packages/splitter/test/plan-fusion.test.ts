// Where the cheapest cut lies inside a fusion or at a dtype that cannot cross, and what the crossing costs.
import { expect, test } from 'vitest';
import { type Plan, type PlanRequest, type ProfiledValue, plan, priceCuts, statedLink } from '../src/index.ts';
import { graphOf } from './models.ts';
import { device } from './plan-models.ts';

/** conv -> norm -> act -> more -> y: the values inside the fusion are far smaller than those around it. */
const graph = graphOf([
  { op: 'Conv', inputs: ['x', 'w'], outputs: ['conv'] },
  { op: 'BatchNormalization', inputs: ['conv', 'w', 'w', 'w', 'w'], outputs: ['norm'] },
  { op: 'Relu', inputs: ['norm'], outputs: ['act'] },
  { op: 'Sqrt', inputs: ['act'], outputs: ['more'] },
  { op: 'Sqrt', inputs: ['more'], outputs: ['y'] },
]);

function valuesOf(sizes: Readonly<Record<string, number>>, dtypes: Record<string, 'int4'> = {}): ProfiledValue[] {
  return Object.entries(sizes).map(([name, bytes]) => {
    const dtype = dtypes[name] ?? ('float32' as const);
    return { name, dtype, shape: [dtype === 'int4' ? bytes * 2 : bytes / 4], bytes };
  });
}

const SIZES = { x: 100_000, conv: 400, norm: 500, act: 8000, more: 4000, y: 4 };
const link = statedLink({ uplinkBitsPerSecond: 8e6, roundTripMs: 1 });

function planned(more: Partial<PlanRequest> = {}, values = valuesOf(SIZES)): Plan {
  const edge = device(graph, { ms: [2, 2, 2, 20, 20], values });
  const cloud = device(graph, { ms: [1, 1, 1, 1, 1], values });
  const found = plan(graph, { edge, cloud, link, ...more });
  if (found.outcome !== 'planned') throw new Error(`conflict: ${found.conflict.join(', ')}`);
  return found;
}

const cutOf = ({ choice }: Plan): string => choice.candidate.crossing.map(({ name }) => name).join('+');

test('the inside of a fusion is cheapest and still not recommended', () => {
  const found = planned();
  // 6 edge + 8 uplink + 1 round trip + 2 cloud, and 4 bytes back.
  expect(cutOf(found)).toBe('act');
  expect(found.choice.prediction.latencyMs).toBeCloseTo(17.004, 9);
  expect(found.choice.candidate.fusion).toBeNull();
  expect(found.gapMs).toBe(0);
  const inside = (one: Plan): number => one.front.filter(({ candidate }) => candidate.fusion !== null).length;
  expect(inside(found)).toBe(0);
  const allowed = planned({ allowFusedCuts: true });
  expect(cutOf(allowed)).toBe('conv');
  expect(allowed.choice.candidate.fusion).toBe('Conv and BatchNormalization');
  expect(allowed.choice.prediction.latencyMs).toBeCloseTo(2 + 0.4 + 1 + 4 + 0.004, 9);
  expect(allowed.gapMs).toBe(0);
});

test('for throughput neither', () => {
  expect(cutOf(planned({ goal: 'throughput' }))).toBe('act');
  expect(cutOf(planned({ goal: 'throughput', allowFusedCuts: true }))).toBe('conv');
});

test('4-bit values stay where they are', () => {
  const dtypes = { act: 'int4' } as const;
  const found = planned({ link: { ...link, uplinkBitsPerSecond: 80e6 } }, valuesOf(SIZES, dtypes));
  expect(cutOf(found)).toBe('x');
  expect(found.front.some(({ candidate }) => candidate.crossing.some(({ name }) => name === 'act'))).toBe(false);
});

test('every listed cut has a price, and says why it is not chosen', () => {
  const values = valuesOf(SIZES);
  const edge = device(graph, { ms: [2, 2, 2, 20, 20], values });
  const cloud = device(graph, { ms: [1, 1, 1, 1, 1], values });
  const rows = priceCuts(graph, { edge, cloud, link, constraints: { keepOnEdge: ['act'] } });
  expect(rows.map(({ candidate, keeps }) => [candidate.crossing[0]?.name, keeps, candidate.fusion])).toEqual([
    ['conv', false, 'Conv and BatchNormalization'],
    ['norm', false, 'BatchNormalization and Relu'],
    ['act', false, null],
    ['more', true, null],
  ]);
  expect(rows.map(({ rawBytes }) => rawBytes)).toEqual([400, 500, 8000, 4000]);
  expect(rows[2]?.prediction.latencyMs).toBeCloseTo(17.004, 9);
});

test('the crossing counts for whoever uses the link, by the bytes that leave', () => {
  const values = valuesOf(SIZES);
  const crossing = { perFrameMs: 3, perMegabyteMs: 500 };
  const edge = { ...device(graph, { ms: [2, 2, 2, 20, 20], values }), crossing: { perFrameMs: 99, perMegabyteMs: 0 } };
  const cloud = { ...device(graph, { ms: [1, 1, 1, 1, 1], values }), crossing };
  const found = planned({ edge, cloud });
  expect(cutOf(found)).toBe('act');
  expect(found.choice.candidate.crossingMs).toBeCloseTo(3 + 4, 9);
  expect(found.choice.prediction.latencyMs).toBeCloseTo(17.004 + 7, 9);
  expect(found.bestOf.edge?.prediction.latencyMs).toBeCloseTo(46, 9);
  expect(found.bestOf.cloud?.candidate.crossingMs).toBeCloseTo(3 + 50, 9);
  expect(found.gapMs).toBe(0);
  // The cloud's profile has none: the edge's counts, and now nothing is worth crossing.
  expect(planned({ edge, cloud: { ...cloud, crossing: null } }).choice.candidate.placement).toBe('edge');
  const piped = planned({ edge, cloud, goal: 'throughput' }).choice;
  // Half of it is charged to either side: 6 + 3.5 on the edge.
  expect(1000 / piped.prediction.framesPerSecond).toBeCloseTo(9.5, 9);
});
