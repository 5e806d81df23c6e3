// Numbers -> a service that the real renderer is measured against: a large graph, a long list, a fast live view.
import type { CallName, CallParams, CallResults, CutGraph, CutNode, InspectorService, Topics } from '@kerf/bridge';
import { MAX_PAGE } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { KerfError } from '@kerf/protocol';

export interface BenchLoad {
  readonly graphNodes: number;
  readonly results: number;
  /** A picture of the live view, JPEG of 1920x1080. */
  readonly picture: Uint8Array;
}

/** Records of a full page: more than a station gives, so that the list is long within seconds. */
const PAGE = 20_000;
/** Operators by turns in no period: nothing folds. */
const OPERATORS = ['Conv', 'Relu', 'Add', 'Mul', 'Concat', 'Resize', 'Sigmoid'];

export class BenchService implements InspectorService {
  preview?: NonNullable<InspectorService['preview']>;
  private readonly load: BenchLoad;
  private readonly listeners = new Map<string, Set<(value: never) => void>>();
  private frame = 0;

  constructor(load: BenchLoad) {
    this.load = load;
  }

  call: InspectorService['call'] = async <N extends CallName>(name: N, params: CallParams<N>) => {
    await Promise.resolve();
    const answers: Partial<Record<CallName, (given: never) => unknown>> = {
      'session.hello': () => ({ version: 'bench', station: 'bench', role: 'viewer', wallMs: Date.now() }),
      'session.clock': () => ({ stationMs: performance.now() }),
      'station.view': () => stationView(this.frame),
      'results.list': (given: CallParams<'results.list'>) => this.page(given),
      'results.get': () => this.record(0),
      'results.picture': () => null,
      'thresholds.view': () => ({ version: 'bench', passBelow: 0.3, ngAbove: 0.9, isEditable: false }),
      'thresholds.scores': () => [],
      'thresholds.history': () => [],
      'cut.state': () => cutState(),
      'cut.graph': () => this.graph(),
    };
    const answer = answers[name];
    if (answer === undefined) throw new KerfError('INVALID_ARGUMENT', `the bench has no answer to '${name}'`);
    return answer(params as never) as CallResults[N];
  };

  subscribe: InspectorService['subscribe'] = (topic, listener) => {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener as (value: never) => void));
    return () => set.delete(listener as (value: never) => void);
  };

  /** One part more in the live view, with its mask; it was taken `ageMs` ago. */
  showPart(ageMs = 0): void {
    const record = this.record(this.frame++);
    const picture = { format: 'jpeg' as const, bytes: this.load.picture, width: 1920, height: 1080 };
    this.tell('result', record);
    this.tell('live', { record, picture, takenMs: performance.now() - ageMs });
    this.tell('station', stationView(this.frame));
  }

  protected tell<T extends keyof Topics>(topic: T, value: Topics[T]): void {
    for (const listener of this.listeners.get(topic) ?? []) listener(value as never);
  }

  /** Newest first; the id counts them. */
  private page({ before, limit }: CallParams<'results.list'>): CallResults['results.list'] {
    const from = before === null ? 0 : Number(before.split('/').at(-1)) + 1;
    const count = Math.max(0, Math.min(limit < MAX_PAGE ? limit : PAGE, this.load.results - from));
    const records = Array.from({ length: count }, (_, at) => ({ ...this.record(from + at), mask: null }));
    return { records, hasMore: from + count < this.load.results };
  }

  private record(index: number): ResultRecord {
    const verdict = index % 7 === 0 ? 'NG' : 'PASS';
    return {
      resultId: `bench/1/${index}`,
      revision: 0,
      frame: index,
      verdict,
      partId: `P-${index}`,
      score: (index % 1_000) / 1_000,
      scores: { scratch: 0.7, good: 0.3 },
      totalMs: 20 + (index % 30),
      takenTime: new Date(1.7e12 - index * 33).toISOString(),
      route: 'edge',
      placement: 'edge',
      isPartial: false,
      reason: null,
      boxes: [{ x: 200, y: 150, width: 300, height: 200, label: 'defect', score: 0.9 }],
      mask: { width: 48, height: 27, runs: maskRuns(index) },
      spans: [],
    } as unknown as ResultRecord;
  }

  /** Blocks of eight branches that meet, as in wide networks: more boxes side by side than a row of layers has. */
  private graph(): CutGraph {
    const nodes: CutNode[] = [];
    while (nodes.length < this.load.graphNodes) {
      const meeting = nodes.length - 1;
      const ends: number[] = [];
      for (let branch = 0; branch < 8; branch++) {
        nodes.push(node(nodes.length, meeting < 0 ? [] : [meeting]));
        nodes.push(node(nodes.length, [nodes.length - 1]));
        ends.push(nodes.length - 1);
      }
      nodes.push(node(nodes.length, ends));
    }
    return { file: 'bench.onnx', from: 'whole', nodes, repeats: [] };
  }
}

function node(position: number, from: readonly number[]): CutNode {
  const opType = OPERATORS[(position * position) % OPERATORS.length] ?? 'Conv';
  return {
    name: `layer_${position}`,
    opType,
    from,
    inputs: from.length === 0 ? ['image'] : [],
    outputs: [`value_${position}`],
    dtype: 'float32',
    shape: `1×${8 + (position % 5)}×96×96`,
    bytes: 4_096,
    edgeMs: null,
    cloudMs: null,
  };
}

/** A blot that wanders. */
function maskRuns(index: number): number[] {
  const runs: number[] = [];
  for (let row = 0; row < 27; row++) {
    const start = (index + row) % 40;
    runs.push(0, start, 9, 6, 0, 42 - start);
  }
  return runs;
}

function stationView(parts: number): CallResults['station.view'] {
  const counts = { seen: parts, captured: parts, dropped: 0, late: 0, repeated: 0, unreadable: 0, recoveries: 0 };
  return {
    state: 'running',
    wallMs: Date.now(),
    uptimeMs: 1_000,
    source: { name: 'bench', state: 'running', reason: null, ...counts },
    verdicts: { PASS: parts, REVIEW: 0, NG: 0, NO_READ: 0, ERROR: 0 },
    provisional: 0,
    stages: [],
    partsPerSecond: 30,
    p50Ms: 20,
    p99Ms: 50,
    link: { state: 'none', code: null },
    route: 'edge',
    provider: 'cpu',
    bytesUpPerPart: null,
    pictureBytesPerPart: null,
    delivery: { waiting: 0, disk: 'ok' as const, isHeld: false, blocked: [] },
    release: 'bench',
    thresholdsVersion: 'bench',
  };
}

function cutState(): CallResults['cut.state'] {
  return {
    model: 'whole',
    hasCloud: false,
    routes: [],
    route: null,
    pinned: null,
    uplinkBitsPerSecond: null,
    roundTripMs: null,
    edge: null,
    cloud: null,
    missing: 'profile',
    modelPath: 'bench.onnx',
    measuring: null,
    measureFault: null,
    canMeasure: false,
    hasLossy: false,
    version: 0,
  };
}
