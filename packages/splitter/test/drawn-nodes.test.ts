// Nodes as a drawing shows them, from the whole model and from its parts; profiles of a faster and a slower device.
import { buildModel, openModel } from '@kerf/onnx';
import { expect, test } from 'vitest';
import { drawnNodes, placedNodes, scaleProfile, statedLink } from '../src/index.ts';
import type { DeviceProfile } from '../src/plan/profile.ts';

const row = (name: string) => ({ name, dtype: 'float32' as const, shape: ['n', 4] });
const step = (op: string, from: string[], to: string) => ({ op, inputs: from, outputs: [to] });
const nodes = [
  step('Relu', ['x'], 'a'),
  step('Neg', ['a'], 'b'),
  step('Add', ['a', 'b'], 'c'),
  step('Exp', ['c'], 'y'),
];
const whole = openModel(buildModel({ nodes, inputs: [row('x')], outputs: [row('y')] }));

const profile: DeviceProfile = {
  format: 'kerf-profile/1',
  model: { file: 'm.onnx', sha256: '0'.repeat(64) },
  device: { name: 'bench', processor: 'none', logicalCores: 1, system: 'none' },
  provider: 'cpu',
  threads: 1,
  versions: {},
  date: '2026-11-26',
  inputShapes: { x: [1, 4] },
  nodes: nodes.map(({ op }, index) => ({ index, name: '', opType: op, ms: 1 + index })),
  nodeTimesFrom: 'events',
  segments: [{ head: ['a'], tail: null, ms: 2, p99Ms: null, runs: 5 }],
  wholeMs: 10,
  wholeP99Ms: 12,
  values: ['x', 'a', 'b', 'c', 'y'].map((name) => ({ name, dtype: 'float32', shape: [1, 4], bytes: 16 })),
  memory: [],
  crossing: { perFrameMs: 1, perMegabyteMs: 2 },
  coding: { lossless: { encodeMsPerMegabyte: 8, decodeMsPerMegabyte: 4 } },
};

test('the whole model has the same nodes in the same order as the planner places', () => {
  const drawn = drawnNodes([whole]);
  expect(drawn.map(({ opType, from, inputs, outputs }) => [opType, from, inputs, outputs])).toEqual([
    ['Relu', [], ['x'], ['a']],
    ['Neg', [0], [], ['b']],
    ['Add', [0, 1], [], ['c']],
    ['Exp', [2], [], ['y']],
  ]);
  expect(drawn.at(-1)).toMatchObject({ dtype: 'float32', shape: ['n', 4] });
  const request = { edge: profile, cloud: profile, link: statedLink({ uplinkBitsPerSecond: 1e6, roundTripMs: 1 }) };
  const placed = placedNodes(whole, request, { placement: 'edge', crossing: [] });
  expect(placed.map(({ opType, from }) => [opType, from])).toEqual(drawn.map(({ opType, from }) => [opType, from]));
});

test('parts are joined by the values that cross, also those that skip a part', () => {
  const part = (own: typeof nodes, inputs: string[], outputs: string[]) =>
    openModel(buildModel({ nodes: own, inputs: inputs.map(row), outputs: outputs.map(row) }));
  const parts = [
    part(nodes.slice(0, 1), ['x'], ['a']),
    part(nodes.slice(1, 2), ['a'], ['b']),
    part(nodes.slice(2), ['a', 'b'], ['y']),
  ];
  const shown = (graphs: readonly ReturnType<typeof openModel>[]) =>
    drawnNodes(graphs).map(({ opType, from, inputs }) => [opType, from, inputs]);
  expect(shown(parts)).toEqual(shown([whole]));
});

test('a device of twice the speed takes half of every time, and sizes stay', () => {
  const fast = scaleProfile(profile, 2);
  expect(fast.nodes.map(({ ms }) => ms)).toEqual([0.5, 1, 1.5, 2]);
  expect(fast).toMatchObject({
    wholeMs: 5,
    wholeP99Ms: 6,
    segments: [{ ms: 1, p99Ms: null }],
    coding: { lossless: { encodeMsPerMegabyte: 4, decodeMsPerMegabyte: 2 } },
    crossing: profile.crossing,
    values: profile.values,
  });
  expect(scaleProfile(profile, 1)).toBe(profile);
  for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => scaleProfile(profile, wrong)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
