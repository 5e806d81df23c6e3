// A device's profile and a graph -> milliseconds per node that add up to the sessions measured, and those sessions.
import { type ModelGraph, shorten } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import { ancestors } from '../list-cuts.ts';
import { workGraph } from '../work-graph.ts';
import { calibrate, type MeasuredSet } from './calibrate.ts';
import type { DeviceProfile, SegmentCost } from './profile.ts';

export interface DeviceCosts {
  /** By position in the work of the graph. */
  readonly nodeMs: Float64Array;
  readonly wholeMs: number;
  /** False where the whole model did not run and its cost is the sum of its nodes. */
  readonly wholeMeasured: boolean;
  /** 99th percentile over median; 1 where it was not measured. */
  readonly p99Ratio: number;
  /** Heads (edge) or tails (cloud) that ran as sessions, by {@link cutKey}. */
  readonly measured: ReadonlyMap<string, SegmentCost>;
  /** Nodes that the profile does not price: they count as free. */
  readonly unpriced: number;
}

/** The same for every order of the same tensors; model inputs are left out, since they follow from the others. */
export function cutKey(graph: ModelGraph, tensors: readonly string[]): string {
  const inputs = new Set(graph.inputs);
  return JSON.stringify([...new Set(tensors)].filter((name) => !inputs.has(name)).sort());
}

/** @throws {KerfError} INVALID_ARGUMENT when the profile names a node that the model has not. */
export function deviceCosts(graph: ModelGraph, profile: DeviceProfile, side: 'edge' | 'cloud'): DeviceCosts {
  const work = workGraph(graph);
  const find = nodeFinder(graph, side);
  const raw = new Float64Array(work.nodes.length);
  const priced = new Set<number>();
  for (const cost of profile.nodes) {
    const index = find(cost.index, cost.name, cost.opType);
    const at = work.position.get(index);
    if (at === undefined) continue;
    raw[at] = (raw[at] as number) + cost.ms;
    priced.add(at);
  }
  const measured = new Map<string, SegmentCost>();
  const sets: MeasuredSet[] = [];
  for (const segment of profile.segments) {
    const tensors = side === 'edge' ? segment.head : segment.tail;
    if (tensors === null) continue;
    const strange = tensors.find((name) => !work.producer.has(name) && !graph.inputs.includes(name));
    if (strange !== undefined) throw notOfModel(side, `tensor '${shorten(strange)}'`);
    measured.set(cutKey(graph, tensors), segment);
    const head = ancestors(graph, tensors);
    const nodes = Uint8Array.from(raw, (_, at) => (head.has(at) ? 1 : 0));
    if (side === 'edge') sets.push({ nodes, ms: segment.ms });
    else if (profile.wholeMs !== null) sets.push({ nodes, ms: Math.max(0, profile.wholeMs - segment.ms) });
  }
  const nodeMs = calibrate(raw, profile.wholeMs, sets);
  return {
    nodeMs,
    wholeMs: nodeMs.reduce((total, ms) => total + ms, 0),
    wholeMeasured: profile.wholeMs !== null,
    p99Ratio: p99Ratio(profile),
    measured,
    unpriced: work.nodes.length - priced.size,
  };
}

function p99Ratio({ wholeMs, wholeP99Ms, segments }: DeviceProfile): number {
  if (wholeMs !== null && wholeP99Ms !== null && wholeMs > 0) return Math.max(1, wholeP99Ms / wholeMs);
  const ratios = segments.flatMap(({ ms, p99Ms }) => (p99Ms !== null && ms > 0 ? [p99Ms / ms] : []));
  const middle = ratios.sort((left, right) => left - right)[ratios.length >> 1];
  return Math.max(1, middle ?? 1);
}

/** Finds a node by what a profile says of it. */
export function nodeFinder(
  graph: ModelGraph,
  side: string,
): (index: number | null, name: string, opType: string | null) => number {
  const byName = new Map<string, number>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) byName.set(output, node.index);
  }
  for (const node of graph.nodes) if (node.record.name !== '') byName.set(node.record.name, node.index);
  return (index, name, opType) => {
    const found = index ?? byName.get(name);
    const node = found === undefined ? undefined : graph.nodes[found];
    const shown = index === null ? `node '${shorten(name)}'` : `node ${index}`;
    if (node === undefined) throw notOfModel(side, shown);
    if (opType !== null && node.record.opType !== opType) {
      throw notOfModel(side, `${shown} of type ${shorten(opType)} (here it is ${node.record.opType})`);
    }
    return node.index;
  };
}

function notOfModel(side: string, what: string): KerfError {
  return new KerfError(
    'INVALID_ARGUMENT',
    `the ${side} profile has a ${what}, which this model has not: profile this model`,
  );
}
