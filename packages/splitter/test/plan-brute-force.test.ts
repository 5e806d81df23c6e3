// The plan of random models against every head that the rule of the cut allows, with constraints, codecs of one rate,
// lossless rates of single values, and codecs that were calibrated at one cut.
import { type BuildNode, type ModelGraph, openModel } from '@kerf/onnx';
import { float32Tensor, type Random, seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import {
  CODECS_FORMAT,
  type CodecProfile,
  type CodingSpeeds,
  type CutCodec,
  type DeviceProfile,
  fusedValues,
  listCuts,
  losslessCodec,
  type PlanCodec,
  type PlanRequest,
  plan,
  planCut,
  RAW_CODEC,
  statedLink,
} from '../src/index.ts';
import { rawValues } from '../src/plan/raw-values.ts';
import { workGraph } from '../src/work-graph.ts';
import { bytesOf, float } from './models.ts';
import { device } from './plan-models.ts';

const MODELS = 800;

const HALF: PlanCodec = {
  ...RAW_CODEC,
  name: 'half',
  bitsPerValue: 16,
  dtypes: ['float32'],
  encodeMsPerMegabyte: 30,
  maxLoss: 1,
};

interface Case {
  readonly graph: ModelGraph;
  readonly request: PlanRequest;
}

/** Up to 14 nodes with weights, some shared; some final, some read by many. */
function randomCase(seed: number): Case {
  const random = seededRandom(seed);
  const whole = (most: number): number => Math.floor(random() * (most + 1));
  const count = 2 + whole(12);
  const inputs = random() < 0.25 ? ['x', 'x2'] : ['x'];
  const nodes: BuildNode[] = Array.from({ length: count }, (_, at) => {
    const reads = new Set<string>();
    for (let more = whole(2); more >= 0; more--) {
      const from = whole(at);
      reads.add(from === 0 || random() < 0.05 ? (inputs[whole(inputs.length - 1)] ?? 'x') : `v${from - 1}`);
    }
    if (random() < 0.7) reads.add(`w${whole(count - 1)}`);
    const op = ['Sum', 'Conv', 'Relu', 'BatchNormalization', 'MatMul', 'Add'][random() < 0.4 ? 0 : whole(5)] ?? 'Sum';
    return { op, name: `node ${at}`, inputs: [...reads], outputs: [`v${at}`] };
  });
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const outputs = nodes.flatMap((_, at) => (!used.has(`v${at}`) || random() < 0.05 ? [float(`v${at}`)] : []));
  const initializers = Array.from({ length: count }, (_, at) => {
    const size = 1 + whole(50);
    return { name: `w${at}`, tensor: float32Tensor([size], new Float32Array(size)) };
  });
  const graph = openModel(bytesOf(nodes, { inputs: inputs.map((name) => float(name)), outputs, initializers }));
  const costs = (slower: number): number[] => nodes.map(() => (random() < 0.1 ? 0 : random() * slower));
  const values = [...inputs, ...nodes.map((_, at) => `v${at}`)].map((name) => {
    const size = 1 + whole(5000);
    const chance = random();
    if (chance < 0.03) return { name, dtype: 'int4' as const, shape: [size], bytes: size >> 1 };
    return chance < 0.07
      ? { name, dtype: null, shape: null, bytes: null }
      : { name, dtype: random() < 0.8 ? ('float32' as const) : ('int32' as const), shape: [size], bytes: 4 * size };
  });
  const isCoded = random() < 0.5;
  const coded = values.map((value) =>
    isCoded && value.dtype !== null && random() < 0.6
      ? { ...value, losslessBytes: Math.ceil(value.bytes * (0.3 + 0.7 * random())) }
      : value,
  );
  const side = (ms: number[]): DeviceProfile => ({
    ...device(graph, { ms, values: coded, p99Ratio: 1 + random() }),
    crossing: random() < 0.4 ? { perFrameMs: 2 * random(), perMegabyteMs: 200 * random() } : null,
    ...(isCoded ? { coding: speeds(random) } : {}),
  });
  const [edge, cloud] = [side(costs(10)), side(costs(3))];
  const lossless = losslessCodec({ edge, cloud });
  expect(lossless !== null).toBe(isCoded && coded.some((value) => 'losslessBytes' in value));
  const request: PlanRequest = {
    edge,
    cloud,
    link: statedLink({ uplinkBitsPerSecond: 10 ** (5.5 + 3 * random()), roundTripMs: whole(10), jitterMs: whole(3) }),
    codecs: [RAW_CODEC, ...(random() < 0.5 ? [] : [HALF]), ...(lossless === null ? [] : [lossless])],
    calibrated: random() < 0.6 ? [calibration(graph, random)] : [],
    waitMs: whole(2),
    constraints: randomConstraints(graph, random),
    allowFusedCuts: random() < 0.3,
  };
  return { graph, request };
}

function speeds(random: Random): CodingSpeeds {
  const speed = () => ({ encodeMsPerMegabyte: 2 + 60 * random(), decodeMsPerMegabyte: 2 + 30 * random() });
  return { lossless: speed(), uint8: speed() };
}

/** Up to three codecs at listed cuts, with times of a machine of another speed. */
function calibration(graph: ModelGraph, random: Random): CodecProfile {
  const cuts = listCuts(graph);
  const entries = [1, 2, 3].flatMap((at): CutCodec[] => {
    const cut = cuts[Math.floor(random() * cuts.length * 1.2)];
    if (cut === undefined) return [];
    const tensors = cut.tensors.map((name) => ({
      name,
      codec: { kind: 'uint8' as const, channelAxis: null },
      bytesPerFrame: Math.floor(random() * 500),
    }));
    const [lossPoints, encodeMs, decodeMs] = [2 * random() - 0.3, random() / 4, random() / 4];
    const measured = { samples: 50, wholePoints: 90, lossPoints, lossInterval: [-1, 3] as const, encodeMs, decodeMs };
    return [{ label: `uint8 ${at}`, tensors, bitsPerValue: 1, folder: null, ...measured }];
  });
  return {
    format: CODECS_FORMAT,
    model: { file: 'm.onnx', sha256: 'ab'.repeat(32) },
    metric: 'accuracy',
    measuredOn: { processor: 'x', runtime: 'y', coding: speeds(random) },
    versions: {},
    date: '2026-11-25',
    entries,
  };
}

function randomConstraints(graph: ModelGraph, random: Random): NonNullable<PlanRequest['constraints']> {
  const work = workGraph(graph);
  const names = [...graph.inputs, ...work.producer.keys(), ...work.nodes.map((node) => node.record.name)];
  const name = names[Math.floor(random() * names.length)] ?? 'x';
  return {
    ...(random() < 0.2 ? { keepOnEdge: [name] } : {}),
    ...(random() < 0.3 ? { noRawInput: true } : {}),
    ...(random() < 0.4 ? { maxEdgeWeightsBytes: Math.floor(random() * 1500) } : {}),
    ...(random() < 0.2 ? { deadlineMs: 20 + random() * 100 } : {}),
    ...(random() < 0.3 ? { maxLoss: Math.floor(random() * 2) } : {}),
  };
}

interface Found {
  readonly latencyMs: number;
  readonly slowestMs: number;
  readonly onEdge: readonly boolean[];
}

/** Milliseconds of sending all that crosses in some codecs. */
interface Offer {
  readonly encode: number;
  readonly decode: number;
  readonly up: number;
  readonly session: number;
}

function undominated(offers: readonly Offer[]): Offer[] {
  const parts = ['encode', 'decode', 'up', 'session'] as const;
  const isBeaten = (one: Offer, at: number): boolean =>
    offers.some(
      (other, place) =>
        parts.every((part) => other[part] <= one[part]) &&
        (place < at || parts.some((part) => other[part] < one[part])),
    );
  return offers.filter((one, at) => !isBeaten(one, at));
}

/** Everything that the rule allows and the constraints keep, priced without the planner's code. */
function* everyPlacement({ graph, request }: Case): Iterable<Found> {
  const { edge, cloud, link, constraints = {}, codecs = [], calibrated = [], waitMs = 0, allowFusedCuts } = request;
  const { perFrameMs, perMegabyteMs } = cloud.crossing ?? edge.crossing ?? { perFrameMs: 0, perMegabyteMs: 0 };
  const fused = fusedValues(graph);
  const raw = rawValues(graph);
  const work = workGraph(graph);
  const count = work.nodes.length;
  const sizes = new Map(edge.values.map((value) => [value.name, value]));
  const ms = (profile: DeviceProfile) =>
    work.nodes.map((node) => profile.nodes.find(({ index }) => index === node.index)?.ms ?? 0);
  const [edgeMs, cloudMs] = [ms(edge), ms(cloud)];
  const ratio = ({ wholeMs, wholeP99Ms }: DeviceProfile): number =>
    (wholeMs ?? 0) > 0 ? (wholeP99Ms ?? 0) / (wholeMs ?? 1) : 1;
  const kept = new Set(constraints.keepOnEdge ?? []);
  const usable = codecs.filter(({ maxLoss }) => maxLoss <= (constraints.maxLoss ?? 9));
  const isFinal = work.nodes.map(({ outputs }) => !outputs.some((name) => work.consumers.has(name)));
  for (let mask = 0; mask < 2 ** count; mask++) {
    const isEdge = (at: number | undefined): boolean => at === undefined || ((mask >> at) & 1) === 1;
    const isAll = mask === 2 ** count - 1;
    if (work.nodes.some((node, at) => isEdge(at) && node.reads.some((name) => !isEdge(work.producer.get(name)))))
      continue;
    if (!isAll && isFinal.some((final, at) => final && isEdge(at))) continue;
    const crossing = [...work.consumers].filter(
      ([name, users]) => isEdge(work.producer.get(name)) && users.some((at) => !isEdge(at)),
    );
    const stays = (name: string): boolean =>
      work.nodes.every(
        (node, at) =>
          isEdge(at) || !(node.record.name === name || node.outputs.includes(name) || node.reads.includes(name)),
      );
    if (![...kept].every(stays)) continue;
    if (allowFusedCuts !== true && crossing.some(([name]) => fused.has(name))) continue;
    if (constraints.noRawInput === true && crossing.some(([name]) => raw.has(name))) continue;
    const weights = new Map(
      work.nodes.flatMap((node, at) =>
        isEdge(at)
          ? node.reads.flatMap((name) =>
              graph.initializers.has(name) ? [[name, weightBytes(graph, name)] as const] : [],
            )
          : [],
      ),
    );
    const bytesHeld = [...weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (bytesHeld > (constraints.maxEdgeWeightsBytes ?? Number.POSITIVE_INFINITY)) continue;
    const time = { down: 0 };
    let answerMs = 0;
    let pure = { edge: 0, cloud: 0 };
    for (let at = 0; at < count; at++) {
      if (isEdge(at)) pure = { ...pure, edge: pure.edge + (edgeMs[at] ?? 0) };
      else {
        pure = { ...pure, cloud: pure.cloud + (cloudMs[at] ?? 0) };
        for (const name of work.nodes[at]?.outputs ?? []) {
          if (!graph.outputs.includes(name)) continue;
          const { bytes = 0, losslessBytes } = sizes.get(name) ?? {};
          const isCoded = losslessBytes !== undefined && (bytes ?? 0) >= 1024 && losslessBytes <= 0.9 * (bytes ?? 0);
          time.down += ((isCoded ? losslessBytes : (bytes ?? 0)) * 8000) / link.downlinkBitsPerSecond;
          const [out, back] = [cloud.coding?.lossless?.encodeMsPerMegabyte, edge.coding?.lossless?.decodeMsPerMegabyte];
          if (isCoded) answerMs += (((out ?? 0) + (back ?? 0)) * (bytes ?? 0)) / 1e6;
        }
      }
    }
    let offers: Offer[] = [{ encode: 0, decode: 0, up: 0, session: isAll ? 0 : perFrameMs }];
    for (const [name] of crossing) {
      const value = sizes.get(name);
      const ways = usable.flatMap((codec) => {
        if (value?.bytes == null || value.dtype === 'int4' || (codec.dtypes !== null && value.dtype !== 'float32'))
          return [];
        if (codec.name === 'lossless' && value.losslessBytes === undefined) return [];
        const coded = codec === RAW_CODEC ? value.bytes : codec === HALF ? value.bytes / 2 : (value.losslessBytes ?? 0);
        return [
          {
            up: (coded * 8000) / link.uplinkBitsPerSecond,
            session: (perMegabyteMs * coded) / 1e6,
            encode: (codec.encodeMsPerMegabyte * value.bytes) / 1e6,
            decode: (codec.decodeMsPerMegabyte * value.bytes) / 1e6,
          },
        ];
      });
      offers = undominated(
        offers.flatMap((offer) =>
          ways.map((way) => ({
            encode: offer.encode + way.encode,
            decode: offer.decode + way.decode,
            up: offer.up + way.up,
            session: offer.session + way.session,
          })),
        ),
      );
    }
    const produced = crossing.map(([name]) => name).filter((name) => !graph.inputs.includes(name));
    for (const { entries, measuredOn } of calibrated) {
      for (const entry of entries) {
        const names = new Set(entry.tensors.map(({ name }) => name));
        if (names.size !== produced.length || !produced.every((name) => names.has(name))) continue;
        if (Math.max(0, entry.lossPoints) > (constraints.maxLoss ?? 9)) continue;
        const rawBytes = crossing.map(([name]) => (names.has(name) ? 0 : (sizes.get(name)?.bytes ?? Number.NaN)));
        const canCross = crossing.every(([name]) => {
          const value = sizes.get(name);
          return value?.bytes != null && value.dtype !== 'int4';
        });
        const bytes = [...rawBytes, ...entry.tensors.map((one) => one.bytesPerFrame)].reduce(
          (sum, one) => sum + one,
          0,
        );
        const there = measuredOn.coding.uint8;
        if (canCross)
          offers.push({
            encode:
              (entry.encodeMs * (edge.coding?.uint8?.encodeMsPerMegabyte ?? there?.encodeMsPerMegabyte ?? 0)) /
              (there?.encodeMsPerMegabyte ?? 1),
            decode:
              (entry.decodeMs * (cloud.coding?.uint8?.decodeMsPerMegabyte ?? there?.decodeMsPerMegabyte ?? 0)) /
              (there?.decodeMsPerMegabyte ?? 1),
            up: (bytes * 8000) / link.uplinkBitsPerSecond,
            session: perFrameMs + (perMegabyteMs * bytes) / 1e6,
          });
      }
    }
    const fixed = isAll ? 0 : link.roundTripMs + waitMs;
    for (const { encode, decode, up, session } of offers) {
      const sessionMs = session + answerMs;
      const rest = encode + sessionMs + up + decode + time.down + fixed;
      const p99Ms = pure.edge * ratio(edge) + pure.cloud * ratio(cloud) + rest + (isAll ? 0 : link.jitterMs);
      if (p99Ms > (constraints.deadlineMs ?? Number.POSITIVE_INFINITY) + 1e-9 || !Number.isFinite(rest)) continue;
      yield {
        latencyMs: pure.edge + pure.cloud + rest,
        slowestMs: Math.max(pure.edge + encode + sessionMs / 2, up, pure.cloud + decode + sessionMs / 2, time.down),
        onEdge: work.nodes.map((_, at) => isEdge(at)),
      };
    }
  }
}

function weightBytes(graph: ModelGraph, name: string): number {
  return 4 * (graph.record.initializers.find((tensor) => tensor.name === name)?.dims[0] ?? 0);
}

test(`the plan for latency equals brute force on ${MODELS} random models`, () => {
  const seen = { edge: 0, cloud: 0, split: 0, unsatisfiable: 0, open: 0, lossless: 0, calibrated: 0 };
  for (let seed = 1; seed <= MODELS; seed++) {
    const one = randomCase(seed);
    const found = plan(one.graph, one.request);
    const least = [...everyPlacement(one)].reduce(
      (best, { latencyMs }) => Math.min(best, latencyMs),
      Number.POSITIVE_INFINITY,
    );
    if (found.outcome === 'unsatisfiable') {
      expect(least, `seed ${seed}`).toBe(Number.POSITIVE_INFINITY);
      seen.unsatisfiable++;
      continue;
    }
    const { candidate, prediction } = found.choice;
    if (found.gapMs === 0)
      expect(Math.abs(prediction.latencyMs - least), `seed ${seed}`).toBeLessThan(1e-5 * least + 1e-9);
    else {
      seen.open++;
      expect(prediction.latencyMs, `seed ${seed}`).toBeGreaterThan(least - 1e-5 * least);
      expect(prediction.latencyMs - found.gapMs, `seed ${seed}`).toBeLessThan(least + 1e-5 * least);
    }
    seen[candidate.placement]++;
    if (candidate.placement !== 'split') continue;
    if (candidate.calibrated !== null) seen.calibrated++;
    else if (candidate.codec.includes('lossless')) seen.lossless++;
    const cut = candidate.crossing.map(({ name }) => name).filter((name) => !one.graph.inputs.includes(name));
    expect(planCut(one.graph, cut).head.length, `seed ${seed}`).toBe(candidate.headNodes);
  }
  const { open, lossless, calibrated, ...kinds } = seen;
  expect(Math.min(...Object.values(kinds)), JSON.stringify(seen)).toBeGreaterThan(MODELS / 40);
  expect(Math.min(lossless, calibrated), JSON.stringify(seen)).toBeGreaterThan(MODELS / 200);
  // Only a deadline may leave a gap.
  expect(open).toBeLessThan(MODELS / 20);
}, 240_000);

test('the plan for throughput is never better than brute force, nor worse by more than its gap', () => {
  let proven = 0;
  for (let seed = 1; seed <= 250; seed++) {
    const { graph, request } = randomCase(seed + 20_000);
    // With two codecs of which neither is better in time and in bytes, the stage that is slowest decides which to take.
    const codecs = seed % 2 === 0 ? [RAW_CODEC] : (request.codecs ?? []);
    const one: Case = { graph, request: { ...request, goal: 'throughput', codecs } };
    const found = plan(one.graph, one.request);
    const least = [...everyPlacement(one)].reduce(
      (best, { slowestMs }) => Math.min(best, slowestMs),
      Number.POSITIVE_INFINITY,
    );
    if (found.outcome === 'unsatisfiable') {
      expect(least, `seed ${seed}`).toBe(Number.POSITIVE_INFINITY);
      continue;
    }
    const slowestMs = 1000 / found.choice.prediction.framesPerSecond;
    expect(slowestMs, `seed ${seed}`).toBeGreaterThan(least * (1 - 1e-5) - 1e-9);
    expect(slowestMs - found.gapMs, `seed ${seed}`).toBeLessThan(least * (1 + 1e-5) + 1e-9);
    if (found.gapMs === 0) proven++;
  }
  expect(proven).toBeGreaterThan(125);
}, 120_000);
