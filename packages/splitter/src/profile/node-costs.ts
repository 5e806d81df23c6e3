// What ONNX Runtime's profiler says of its kernels at level 'disabled' -> milliseconds of each node of the model.
import { type GraphNode, type ModelGraph, type NodeRecord } from '@kerf/onnx';
import type { NodeCost } from '../plan/profile.ts';
import { workGraph } from '../work-graph.ts';
import { median } from './timed-runs.ts';

/** One run of one kernel. */
export interface KernelEvent {
  /** The node's name; the runtime makes one up for a node without. */
  readonly name: string;
  readonly opType: string;
  /** In the graph or body that the node is in: nodes in order without Constants, then those of expanded functions. */
  readonly nodeIndex: number;
  readonly startMs: number;
  readonly ms: number;
}

/** Names of the casts that the runtime puts around a node where its kernel lacks the type. */
const INSERTED = /^InsertedPrecisionFreeCast_/;

/** Operators that hold bodies. */
const HOLDERS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);

/**
 * Medians over the runs. Nodes in bodies count for the node that holds them, nodes of expanded functions for the node
 * that calls. What cannot be told apart is spread, never dropped.
 * @param runs events of the whole model as `extract` emits it, in the order of the profiler's file; the first run, which
 * warms up, left out.
 */
export function nodeCostsOfEvents(graph: ModelGraph, runs: readonly (readonly KernelEvent[])[]): NodeCost[] {
  const kernels = liveKernels(graph);
  const costs = runs.map((events) => costsOfRun(graph, kernels, events));
  return workGraph(graph).nodes.map(({ index, record, outputs }) => ({
    index,
    name: record.name === '' ? (outputs[0] ?? '') : record.name,
    opType: record.opType,
    ms: Math.round(median(costs.map((cost) => cost.get(index) ?? 0)) * 1e4) / 1e4,
  }));
}

/** Nodes of the emitted model that become kernels: those that an output needs, without Constants. */
function liveKernels(graph: ModelGraph): GraphNode[] {
  const live = new Set<number>();
  const waiting = [...graph.outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = graph.nodes[graph.producer.get(name) ?? -1];
    if (node === undefined || live.has(node.index)) continue;
    live.add(node.index);
    waiting.push(...node.reads);
  }
  return graph.nodes.filter(
    ({ index, record }) => live.has(index) && !(record.opType === 'Constant' && record.domain === ''),
  );
}

/** Milliseconds by index in the graph. */
function costsOfRun(
  graph: ModelGraph,
  kernels: readonly GraphNode[],
  events: readonly KernelEvent[],
): Map<number, number> {
  const cost = new Map<number, number>();
  const add = (node: GraphNode, ms: number): void => void cost.set(node.index, (cost.get(node.index) ?? 0) + ms);
  const byName = new Map(kernels.filter(({ record }) => record.name !== '').map((node) => [node.record.name, node]));
  const strange: (KernelEvent & { readonly after: GraphNode | undefined })[] = [];
  let after = kernels[0];
  for (const event of outermost(events)) {
    const indexed = kernels[event.nodeIndex];
    const node = [indexed, byName.get(event.name)].find((one) => one?.record.opType === event.opType);
    if (node === undefined || INSERTED.test(event.name)) strange.push({ ...event, after });
    else add((after = node), event.ms);
  }
  const silent = kernels.filter((node) => !cost.has(node.index) && !node.constant);
  const callers = callersOf(graph, silent, strange);
  for (const [at, event] of strange.entries()) {
    const share = INSERTED.test(event.name) || silent.length === 0 ? [event.after] : (callers[at] ?? silent);
    for (const node of share) if (node !== undefined) add(node, event.ms / share.length);
  }
  return cost;
}

/** The profiler writes an event when it ends: what a body ran stands before its holder and began later. */
function outermost(events: readonly KernelEvent[]): KernelEvent[] {
  const kept: KernelEvent[] = [];
  for (const event of events) {
    while (HOLDERS.has(event.opType) && (kept.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY) >= event.startMs) kept.pop();
    kept.push(event);
  }
  return kept;
}

/**
 * The node that calls the function which each event is of: the runtime expands functions in order of their calls and
 * numbers what they hold on from the last node. Empty where the events do not look like that.
 */
function callersOf(graph: ModelGraph, silent: readonly GraphNode[], strange: readonly KernelEvent[]): GraphNode[][] {
  const expected = silent.flatMap((node) => bodyOf(graph, node.record).map(({ opType }) => ({ node, opType })));
  const inOrder = strange
    .filter(({ name }) => !INSERTED.test(name))
    .sort((left, right) => left.nodeIndex - right.nodeIndex);
  const fits = expected.length === inOrder.length && inOrder.every(({ opType }, at) => opType === expected[at]?.opType);
  if (!fits) return [];
  const caller = new Map(inOrder.map((event, at) => [event, expected[at]?.node]));
  return strange.map((event) => [caller.get(event)].filter((node) => node !== undefined));
}

function bodyOf({ model }: ModelGraph, { domain, opType, overload }: NodeRecord): readonly NodeRecord[] {
  const called = model.functions.find(
    (entry) => entry.domain === domain && entry.name === opType && entry.overload === overload,
  );
  return called?.nodes.filter((node) => node.opType !== 'Constant') ?? [];
}
