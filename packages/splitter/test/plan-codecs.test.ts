// Codecs in a plan: lossless rates of single values, codecs calibrated at a cut, their loss, and answers coded by the cloud.
import { expect, test } from 'vitest';
import {
  CODECS_FORMAT,
  type CodecProfile,
  type CodingSpeeds,
  type CutCodec,
  losslessCodec,
  type Plan,
  type PlanRequest,
  plan,
  planCurve,
  priceCuts,
  RAW_CODEC,
  statedLink,
} from '../src/index.ts';
import { diamond, expectCode, graphOf } from './models.ts';
import { device } from './plan-models.ts';

const graph = graphOf(diamond);
const SIZES = { x: 60_000, a: 80_000, b: 40_000, c: 40_000, d: 40_000, e: 40_000, y: 4000 };
const CODED: Readonly<Record<string, number>> = { b: 24_000, y: 1000 };
const values = Object.entries(SIZES).map(([name, bytes]) => ({
  name,
  dtype: 'float32' as const,
  shape: [bytes / 4],
  bytes,
  ...(CODED[name] === undefined ? {} : { losslessBytes: CODED[name] }),
}));
const speeds = (encode: number, decode: number): CodingSpeeds => ({
  lossless: { encodeMsPerMegabyte: encode, decodeMsPerMegabyte: decode },
  uint8: { encodeMsPerMegabyte: encode / 2, decodeMsPerMegabyte: decode / 4 },
});
const edge = { ...device(graph, { ms: [5, 5, 20, 20, 20, 20], values }), coding: speeds(40, 20) };
const cloud = { ...device(graph, { ms: [1, 1, 2, 2, 2, 2], values }), coding: speeds(10, 5) };
const link = statedLink({ uplinkBitsPerSecond: 4e6, roundTripMs: 10 });

const entry = (label: string, names: readonly string[], bytes: number, lossPoints = 0.3): CutCodec => ({
  label,
  tensors: names.map((name) => ({
    name,
    codec: { kind: 'uint8', channelAxis: 1 },
    bytesPerFrame: bytes / names.length,
  })),
  bitsPerValue: 2,
  samples: 80,
  wholePoints: 82,
  lossPoints,
  lossInterval: [lossPoints - 0.2, lossPoints + 0.2],
  encodeMs: 2,
  decodeMs: 1,
  folder: null,
});
const codecs = (entries: readonly CutCodec[], more: Partial<CodecProfile> = {}): CodecProfile => ({
  format: CODECS_FORMAT,
  model: edge.model,
  metric: 'pixel IoU',
  // Twice as fast as the edge, half as fast as the cloud.
  measuredOn: { processor: 'x', runtime: 'node', coding: speeds(20, 10) },
  versions: {},
  date: '2026-11-25',
  entries,
  ...more,
});

function planned(more: Partial<PlanRequest> = {}): Plan {
  const found = plan(graph, { edge, cloud, link, ...more });
  if (found.outcome !== 'planned') throw new Error(`conflict: ${found.conflict.join(', ')}`);
  return found;
}

test('the lossless codec has a price where it was measured, and where the devices say how fast they code', () => {
  const lossless = losslessCodec({ edge, cloud });
  expect(lossless).toMatchObject({ name: 'lossless', encodeMsPerMegabyte: 40, decodeMsPerMegabyte: 5, maxLoss: 0 });
  if (lossless === null) return;
  const { choice, gapMs } = planned({ codecs: [RAW_CODEC, lossless] });
  expect(choice.candidate).toMatchObject({ placement: 'split', codec: 'lossless', uplinkBytes: 24_000, loss: 0 });
  // 10 edge, 40 kB coded at 40 ms/MB, 24 kB at 4 Mbit/s, 10 round trip, decoded at 5 ms/MB, 8 cloud, and the answer.
  expect(choice.prediction.latencyMs).toBeCloseTo(10 + 1.6 + 48 + 10 + 0.2 + 8 + 2 + 0.12, 9);
  expect(gapMs).toBe(0);
  const { coding: _, ...silent } = edge;
  expect(losslessCodec({ edge: silent, cloud })).toBeNull();
  const bare = values.map(({ losslessBytes: __, ...value }) => value);
  expect(losslessCodec({ edge: { ...edge, values: bare }, cloud: { ...cloud, values: bare } })).toBeNull();
});

test('calibration knows the lossless bytes better than one frame, and how fast its machine codes', () => {
  const tensors = [{ name: 'b', codec: { kind: 'lossless' as const }, bytesPerFrame: 19_999.5 }];
  const calibrated = [codecs([{ ...entry('lossless', ['b'], 0), tensors }])];
  const found = losslessCodec({ edge: { ...edge, coding: {} }, cloud, calibrated });
  expect(found?.valueBytes?.get('b')).toBe(20_000);
  expect(found).toMatchObject({ encodeMsPerMegabyte: 20, decodeMsPerMegabyte: 5 });
  // It is no candidate of its own beside the codec that has its bytes at every cut.
  expect(planned({ calibrated }).ranked.every(({ candidate }) => candidate.calibrated === null)).toBe(true);
});

test('an answer comes back coded where that saves a tenth and the profile knows', () => {
  const { choice } = planned();
  // 4000 bytes are coded in 10 ms/MB and decoded in 20 ms/MB.
  expect(choice.candidate.downlinkBytes).toBe(choice.candidate.placement === 'edge' ? 0 : 1000);
  const best = planned().bestOf.cloud;
  expect(best?.candidate).toMatchObject({ downlinkBytes: 1000, crossingMs: 0.12 });
  const dear = values.map((value) => (value.name === 'y' ? { ...value, losslessBytes: 3700 } : value));
  const raw = planned({ edge: { ...edge, values: dear }, cloud: { ...cloud, values: dear } }).bestOf.cloud;
  expect(raw?.candidate).toMatchObject({ downlinkBytes: 4000, crossingMs: 0 });
});

test('a codec calibrated at a cut is a candidate there, in its times carried to both devices', () => {
  const calibrated = [codecs([entry('levels 3', ['b'], 1000), entry('uint8', ['c', 'b'], 3000)])];
  const found = planned({ calibrated });
  const { candidate, prediction } = found.choice;
  expect(candidate).toMatchObject({
    placement: 'split',
    codec: 'levels 3',
    crossing: [{ name: 'b', codec: 'uint8', bytes: 1000 }],
    encodeMs: 4,
    decodeMs: 0.5,
    loss: 0.3,
    headNodes: 2,
  });
  expect(candidate.calibrated).toEqual({ metric: 'pixel IoU', entry: calibrated[0]?.entries[0] });
  expect(prediction.latencyMs).toBeCloseTo(10 + 4 + 2 + 10 + 0.5 + 8 + 2 + 0.12, 9);
  expect(found.gapMs).toBe(0);
  // Behind c the head holds three nodes, and b crosses too.
  expect(found.ranked.find((one) => one.candidate.codec === 'uint8')?.candidate).toMatchObject({
    headNodes: 3,
    uplinkBytes: 3000,
  });
  expect(priceCuts(graph, { edge, cloud, link, calibrated }).map((one) => one.candidate.codec)).toContain('levels 3');
  const curve = planCurve(graph, { edge, cloud, link, calibrated });
  expect(curve.reigns.map((one) => one.candidate.codec)).toContain('levels 3');
  expect(found.changes.length).toBeGreaterThan(0);
});

test('with frames in flight encoding is the work of the edge, decoding that of the cloud', () => {
  const [slow] = codecs([entry('levels 3', ['b'], 1000)]).entries;
  const calibrated = [codecs([{ ...(slow as CutCodec), encodeMs: 10, decodeMs: 20 }])];
  const { ranked } = planned({ goal: 'throughput', calibrated });
  const found = ranked.find(({ candidate }) => candidate.calibrated !== null);
  // 10 ms of head and 20 of encoding, half of the answer's coding; the cloud 8 + 10.
  expect(1000 / (found?.prediction.framesPerSecond ?? 1)).toBeCloseTo(30.06, 9);
  expect(found?.prediction.slowestStage).toBe('edge');
});

test('a limit on the loss is held against the loss that was measured; a gain is no loss', () => {
  const calibrated = [codecs([entry('levels 3', ['b'], 1000, 0.6), entry('levels 9', ['b'], 2000, -0.1)])];
  expect(planned({ calibrated }).choice.candidate.codec).toBe('levels 3');
  const limited = planned({ calibrated, constraints: { maxLoss: 0.5 } });
  expect(limited.choice.candidate).toMatchObject({ codec: 'levels 9', loss: 0 });
  expect(limited.binding?.constraint).toBe('maxLoss');
  const none = planned({ calibrated: [codecs([entry('levels 3', ['b'], 1000, 0.6)])], constraints: { maxLoss: 0.5 } });
  expect(none.ranked.every(({ candidate }) => candidate.calibrated === null)).toBe(true);
  // What loses nothing is worth seeing beside what is faster.
  const losses = planned({ calibrated }).front.map(({ candidate }) => candidate.loss);
  expect(losses).toContain(0.6);
  expect(losses).toContain(0);
});

test('inputs that the tail needs cross raw where nobody coded them; kept values do not cross', () => {
  const two = graphOf([...diamond.slice(0, 5), { op: 'Add', inputs: ['e', 'x'], outputs: ['y'] }]);
  const [edge2, cloud2] = [
    { ...edge, ...device(two, { ms: [5, 5, 20, 20, 20, 20], values }) },
    { ...cloud, ...device(two, { ms: [1, 1, 2, 2, 2, 2], values }) },
  ];
  const request = { edge: edge2, cloud: cloud2, link, calibrated: [codecs([entry('levels 3', ['b'], 1000)])] };
  const found = plan(two, request);
  const coded =
    found.outcome === 'planned' ? found.ranked.find(({ candidate }) => candidate.calibrated !== null) : null;
  expect(coded?.candidate).toMatchObject({ uplinkBytes: 61_000, sendsInput: true });
  const kept = plan(two, { ...request, constraints: { keepOnEdge: ['x'] } });
  expect(kept.outcome === 'planned' && kept.ranked.every(({ candidate }) => candidate.calibrated === null)).toBe(true);
});

test('codecs of another model, and of tensors that are no cut, are refused', () => {
  const other = codecs([], { model: { file: 'n.onnx', sha256: 'cd'.repeat(32) } });
  expectCode(
    () => planned({ calibrated: [other] }),
    'INVALID_ARGUMENT',
    /codecs' profile is of another model .*kerf calibrate/,
  );
  for (const names of [['a', 'b'], ['nothing'], ['x'], ['c'], ['y']]) {
    const calibrated = [codecs([entry('levels 3', names, 1000)])];
    expectCode(() => planned({ calibrated }), 'INVALID_ARGUMENT', /'levels 3' is for .* which is no cut of this model/);
  }
});
