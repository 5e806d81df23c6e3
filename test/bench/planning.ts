// How long does planning take, and what do simpler planners lose? Graphs in code, no runtime involved.
import { type BuildNode, buildModel, type ModelGraph, openModel } from '@kerf/onnx';
import {
  CutNetwork,
  type CutProblem,
  type CutValue,
  type DeviceProfile,
  divisionOf,
  type LinkProfile,
  listCuts,
  type PlanRequest,
  PROFILE_FORMAT,
  type ProfiledValue,
  plan,
  RAW_CODEC,
  statedLink,
} from '@kerf/splitter';
import { type Bench, type BenchRow, median } from './bench.ts';

/** QDMP's published time for a graph of this size. */
const PUBLISHED_MS = 300;

const UPLINKS = [1e6, 5e6, 2e7, 1e8, 5e8] as const;
const ROUND_TRIP_MS = 20;

const HALF = { ...RAW_CODEC, name: 'half', bitsPerValue: 16, dtypes: ['float32' as const], maxLoss: 0.1 };
const QUARTER = { ...RAW_CODEC, name: 'quarter', bitsPerValue: 8, dtypes: ['float32' as const], maxLoss: 0.5 };

export const planning: Bench = {
  name: 'planning',
  summary: 'plan() on DenseNet-like graphs: time, and latency against simpler planners',
  async *run({ full }) {
    const rounds = full ? 21 : 7;
    const small = denseModel([6, 12, 24, 16]);
    const large = denseModel([48, 96, 192, 113]);
    yield* timeRows('DenseNet-121-like', small, rounds, PUBLISHED_MS, 100);
    yield* timeRows('DenseNet-like', large, 3, 2000, 2000, full ? undefined : 1);
    yield* baselineRows(small);
  },
};

export interface Case {
  readonly graph: ModelGraph;
  readonly edge: DeviceProfile;
  readonly cloud: DeviceProfile;
}

async function* timeRows(
  name: string,
  one: Case,
  rounds: number,
  referenceMs: number,
  goalMs: number,
  kinds?: number,
): AsyncIterable<BenchRow> {
  const nodes = one.graph.nodes.length;
  const against = referenceMs === goalMs ? `${goalMs} ms` : `QDMP's published ${referenceMs} ms`;
  const base = { bench: 'planning', unit: 'ms', against };
  const limit = weightsOf(one) / 4;
  const requests: [string, Partial<PlanRequest>][] = [
    ['latency, one codec', {}],
    ['latency, three codecs', { codecs: [RAW_CODEC, HALF, QUARTER] }],
    ['throughput', { goal: 'throughput' }],
    ['a quarter of the weights', { constraints: { maxEdgeWeightsBytes: limit } }],
  ];
  for (const [what, more] of requests.slice(0, kinds)) {
    const times: number[] = [];
    let gapMs = 0;
    for (let round = -1; round < rounds; round++) {
      for (const uplinkBitsPerSecond of UPLINKS) {
        const link = statedLink({ uplinkBitsPerSecond, roundTripMs: ROUND_TRIP_MS });
        const startedMs = performance.now();
        const found = plan(one.graph, { ...one, link, ...more });
        if (round >= 0) times.push(performance.now() - startedMs);
        if (found.outcome === 'planned') gapMs = Math.max(gapMs, found.gapMs);
      }
    }
    const value = median(times);
    const isGoal = what === 'latency, one codec';
    yield {
      ...base,
      case: `${name}, ${nodes} nodes, ${what}`,
      value,
      ratio: value / referenceMs,
      goal: isGoal ? `<= ${(goalMs / referenceMs).toFixed(2)}` : null,
      met: isGoal ? value <= goalMs : null,
    };
    yield {
      bench: 'planning',
      case: '  largest gap',
      value: gapMs,
      unit: 'ms',
      against: null,
      ratio: null,
      goal: null,
      met: null,
    };
  }
}

function weightsOf({ edge }: Case): number {
  return edge.memory.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
}

/** Modelled latency of what simpler planners choose, over that of the plan: median and worst of the networks. */
async function* baselineRows(one: Case): AsyncIterable<BenchRow> {
  const planners: [string, (one: Case, link: LinkProfile) => number][] = [
    ['Neurosurgeon: single tensors of a chain', chainScan],
    ['least cut with an arc per edge (DADS-like)', arcPerEdge],
  ];
  for (const [name, latencyOf] of planners) {
    const ratios = UPLINKS.map((uplinkBitsPerSecond) => {
      const link = statedLink({ uplinkBitsPerSecond, roundTripMs: ROUND_TRIP_MS });
      const found = plan(one.graph, { ...one, link });
      if (found.outcome !== 'planned') throw new Error('there is always a plan without constraints');
      return latencyOf(one, link) / found.choice.prediction.latencyMs;
    });
    const base = { bench: 'planning', unit: 'times', against: 'the plan (modelled latency)', goal: null, met: null };
    yield {
      ...base,
      case: `${name}, median of ${UPLINKS.length} uplinks`,
      value: median(ratios),
      ratio: median(ratios),
    };
    const worst = Math.max(...ratios);
    yield { ...base, case: `${name}, worst`, value: worst, ratio: worst };
  }
}

/** Every single tensor that separates the model, the edge alone and the cloud alone. */
function chainScan({ graph, edge, cloud }: Case, link: LinkProfile): number {
  const edgeMs = new Map(edge.nodes.map(({ name, ms }) => [name, ms]));
  const cloudMs = new Map(cloud.nodes.map(({ name, ms }) => [name, ms]));
  const bytes = new Map(edge.values.map((value) => [value.name, value.bytes ?? 0]));
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const sum = (costs: ReadonlyMap<string, number>): number => [...costs.values()].reduce((total, ms) => total + ms, 0);
  const sent = (name: string): number => ((bytes.get(name) ?? 0) * 8000) / link.uplinkBitsPerSecond;
  const back = ((bytes.get('y') ?? 0) * 8000) / link.downlinkBitsPerSecond;
  const away = link.roundTripMs + back;
  const splits = listCuts(graph).flatMap(({ tensors, inputs }) => {
    const [tensor] = tensors;
    if (tensor === undefined || tensors.length + inputs.length !== 1) return [];
    const head = new Set<string>();
    const waiting = [tensor];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const node = makers.get(name);
      if (node === undefined || head.has(node.record.name)) continue;
      head.add(node.record.name);
      waiting.push(...node.reads);
    }
    const headMs = [...head].reduce((total, name) => total + (edgeMs.get(name) ?? 0), 0);
    const doneMs = [...head].reduce((total, name) => total + (cloudMs.get(name) ?? 0), 0);
    return [headMs + sent(tensor) + away + sum(cloudMs) - doneMs];
  });
  return Math.min(sum(edgeMs), sent('x') + away + sum(cloudMs), ...splits);
}

/** A value is charged for each consumer while the cut is sought; what it finds is then priced as it is. */
function arcPerEdge({ graph, edge, cloud }: Case, link: LinkProfile): number {
  const bytes = new Map(edge.values.map((value) => [value.name, value.bytes ?? 0]));
  const names = graph.nodes.map(({ record }) => record.name);
  const place = new Map(names.map((name, at) => [name, at]));
  const costs = (profile: DeviceProfile): Float64Array => {
    const list = new Float64Array(names.length);
    for (const { name, ms } of profile.nodes) list[place.get(name) ?? 0] = ms;
    return list;
  };
  const makers = new Map(graph.nodes.flatMap((node, at) => node.outputs.map((name) => [name, at] as const)));
  const values: CutValue[] = [...graph.inputs, ...makers.keys()].flatMap((name) => {
    const consumers = graph.nodes.flatMap((node, at) => (node.reads.includes(name) ? [at] : []));
    const crossCost = ((bytes.get(name) ?? 0) * 8000) / link.uplinkBitsPerSecond;
    return consumers.length === 0 ? [] : [{ producer: makers.get(name) ?? -1, consumers, crossCost }];
  });
  const cloudCost = costs(cloud);
  const last = makers.get('y') ?? 0;
  cloudCost[last] = (cloudCost[last] ?? 0) + ((bytes.get('y') ?? 0) * 8000) / link.downlinkBitsPerSecond;
  const pins = new Uint8Array(names.length);
  const problem: CutProblem = { edgeCost: costs(edge), cloudCost, values, pins, weights: [] };
  const split = values.flatMap((value) => value.consumers.map((one) => ({ ...value, consumers: [one] })));
  const found = new CutNetwork({ ...problem, values: split }).solve();
  const edgeMs = problem.edgeCost.reduce((sum, ms) => sum + ms, 0);
  if (found === null || found.onEdge.every((side) => side === 1)) return edgeMs;
  // Like the plan, it may keep everything on the edge after all.
  return Math.min(edgeMs, divisionOf(problem, found.onEdge).cost + link.roundTripMs);
}

const GROWTH = 32;
/** Operations a millisecond and bytes a millisecond; a fixed cost per node. */
const EDGE = { flops: 2e7, bytes: 8e6, launchMs: 0.005 };
const CLOUD = { flops: 5e9, bytes: 4e8, launchMs: 0.008 };

/**
 * DenseNet's graph as the ONNX zoo holds it (normalisation as three nodes), with as many layers in each block as given:
 * 6, 12, 24, 16 are DenseNet-121's. Costs follow from operations and bytes.
 */
export function denseModel(blocks: readonly number[]): Case {
  const made = new DenseBuilder();
  let side = 56;
  let channels = 64;
  let at = made.convolution('x', 112, 3, channels, 7);
  at = made.normalised(at, 112, channels);
  at = made.node('MaxPool', [at], side * side * channels);
  blocks.forEach((layers, block) => {
    for (let layer = 0; layer < layers; layer++) {
      let grown = made.normalised(at, side, channels);
      grown = made.convolution(grown, side, channels, 4 * GROWTH, 1);
      grown = made.normalised(grown, side, 4 * GROWTH);
      grown = made.convolution(grown, side, 4 * GROWTH, GROWTH, 3);
      channels += GROWTH;
      at = made.node('Concat', [at, grown], side * side * channels);
    }
    at = made.normalised(at, side, channels);
    if (block === blocks.length - 1) return;
    at = made.convolution(at, side, channels, channels >> 1, 1);
    channels >>= 1;
    side >>= 1;
    at = made.node('AveragePool', [at], side * side * channels);
  });
  at = made.node('GlobalAveragePool', [at], channels);
  made.node('Flatten', [at], 1000, { flops: 2000 * channels, weightsBytes: 4000 * channels, output: 'y' });
  return made.finish();
}

class DenseBuilder {
  readonly #nodes: BuildNode[] = [];
  readonly #values: ProfiledValue[] = [];
  readonly #flops: number[] = [];
  readonly #weights: number[] = [];

  constructor() {
    this.#value('x', 224 * 224 * 3);
  }

  #value(name: string, count: number): void {
    this.#values.push({ name, dtype: 'float32', shape: [count], bytes: 4 * count });
  }

  node(
    op: string,
    inputs: readonly string[],
    count: number,
    more: { flops?: number; weightsBytes?: number; output?: string } = {},
  ): string {
    const { flops = count, weightsBytes = 0, output = `v${this.#nodes.length}` } = more;
    this.#nodes.push({ op, name: `n${this.#nodes.length}`, inputs: [...inputs], outputs: [output] });
    this.#value(output, count);
    this.#flops.push(flops);
    this.#weights.push(weightsBytes);
    return output;
  }

  convolution(from: string, side: number, inside: number, outside: number, kernel: number): string {
    const weights = inside * outside * kernel * kernel;
    return this.node('Conv', [from], side * side * outside, {
      flops: 2 * side * side * weights,
      weightsBytes: 4 * weights,
    });
  }

  normalised(from: string, side: number, channels: number): string {
    const count = side * side * channels;
    const ops = ['BatchNormalization', 'Mul', 'Add', 'Relu'];
    return ops.reduce(
      (name, op) => this.node(op, [name], count, { weightsBytes: op === 'Relu' ? 0 : 4 * channels }),
      from,
    );
  }

  finish(): Case {
    const io = (name: string) => ({ name, dtype: 'float32' as const, shape: [1] });
    const graph = openModel(
      buildModel({ nodes: this.#nodes, inputs: [io('x')], outputs: [io('y')], initializers: [] }),
    );
    return { graph, edge: this.#profile(EDGE), cloud: this.#profile(CLOUD) };
  }

  #profile(speed: typeof EDGE): DeviceProfile {
    const nodes = this.#nodes.map(({ op, name = '' }, at) => {
      const bytes = this.#values[at + 1]?.bytes ?? 0;
      const ms = speed.launchMs + (this.#flops[at] ?? 0) / speed.flops + (2 * bytes) / speed.bytes;
      return { index: null, name, opType: op, ms };
    });
    const wholeMs = nodes.reduce((sum, { ms }) => sum + ms, 0);
    return {
      format: PROFILE_FORMAT,
      model: { file: 'dense.onnx', sha256: '0'.repeat(64) },
      device: { name: 'modelled', processor: 'none', logicalCores: 1, system: 'none' },
      provider: 'none',
      threads: null,
      versions: {},
      date: '2026-01-01T00:00:00Z',
      inputShapes: {},
      nodes,
      nodeTimesFrom: null,
      segments: [],
      wholeMs,
      wholeP99Ms: wholeMs,
      values: this.#values,
      memory: nodes.map(({ name }, at) => ({ index: null, name, weightsBytes: this.#weights[at] ?? 0 })),
      crossing: null,
    };
  }
}
