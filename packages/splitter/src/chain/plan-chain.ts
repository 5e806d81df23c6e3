// A graph and sets of tensors to cut at -> the nested cuts in order, and the segment between each two of them.
import { type GraphNode, type ModelGraph, shorten } from '@kerf/onnx';
import { KerfError, MAX_CHAIN_SEGMENTS } from '@kerf/protocol';
import { type CutPlan, planCut } from '../plan-cut.ts';
import { workGraph } from '../work-graph.ts';

/** The nodes between two cuts. */
export interface SegmentPlan {
  /** Nodes that depend on an input, in topological order. */
  readonly nodes: readonly GraphNode[];
  /** Model inputs and outputs of earlier segments that they read. */
  readonly inputs: readonly string[];
  /** What later segments need of them, then the final outputs that they make. */
  readonly outputs: readonly string[];
}

export interface ChainPlan {
  readonly graph: ModelGraph;
  /** Each head holds the one before. */
  readonly cuts: readonly CutPlan[];
  /** One more than the cuts. */
  readonly segments: readonly SegmentPlan[];
}

/**
 * Plans a chain; without cuts it is one segment, the whole model.
 * @param cuts sets of tensors in any order.
 * @throws {KerfError} every code of {@link planCut}; INVALID_ARGUMENT for more than {@link MAX_CHAIN_SEGMENTS} segments,
 * for the same cut twice, and for cuts of which neither head holds the other.
 */
export function planChain(graph: ModelGraph, cuts: readonly (readonly string[])[]): ChainPlan {
  if (cuts.length >= MAX_CHAIN_SEGMENTS) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `a chain has at most ${MAX_CHAIN_SEGMENTS} segments, ${MAX_CHAIN_SEGMENTS - 1} cuts; ${cuts.length} were named`,
    );
  }
  const plans = cuts
    .map((tensors) => planCut(graph, tensors))
    .sort((left, right) => left.head.length - right.head.length);
  plans.forEach((plan, at) => {
    const before = plans[at - 1];
    if (before !== undefined) checkNested(before, plan);
  });
  const segments = [...plans, null].map((plan, at) => segmentBetween(graph, plans, plans[at - 1] ?? null, plan));
  return { graph, cuts: plans, segments };
}

function checkNested(inner: CutPlan, outer: CutPlan): void {
  const held = new Set(outer.head);
  const stray = inner.head.find((node) => !held.has(node));
  const both = `${shown(inner)} and ${shown(outer)}`;
  if (stray !== undefined) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `the cuts ${both} are not nested: '${shorten(stray.outputs[0] ?? '')}' lies before the one and not before the other`,
      { details: { tensor: stray.outputs[0] ?? '' } },
    );
  }
  if (inner.head.length === outer.head.length) {
    throw new KerfError('INVALID_ARGUMENT', `the cuts ${both} have the same head: leave one out`);
  }
}

function shown(plan: CutPlan): string {
  const names = plan.cut.slice(0, 3).map((name) => `'${shorten(name)}'`);
  return `${names.join(' + ')}${plan.cut.length > 3 ? ' + ...' : ''}`;
}

/** @param from null before the first segment. @param to null behind the last. */
function segmentBetween(
  graph: ModelGraph,
  cuts: readonly CutPlan[],
  from: CutPlan | null,
  to: CutPlan | null,
): SegmentPlan {
  const before = new Set(from?.head);
  const nodes = (to?.head ?? workGraph(graph).nodes).filter((node) => !before.has(node));
  const reads = new Set(nodes.flatMap((node) => node.reads));
  const inputs = (from?.cut ?? graph.inputs).filter((name) => reads.has(name));
  return { nodes, inputs, outputs: to === null ? lastOutputs(graph, from) : outputsOf(graph, cuts, nodes) };
}

function outputsOf(graph: ModelGraph, cuts: readonly CutPlan[], nodes: readonly GraphNode[]): string[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const wanted = new Set([...cuts.flatMap(({ cut }) => cut), ...graph.outputs]);
  return [...wanted].filter((name) => made.has(name));
}

/** Constant outputs are given by the last segment. */
function lastOutputs(graph: ModelGraph, last: CutPlan | null): readonly string[] {
  if (last !== null) return last.tailOutputs;
  return graph.outputs.filter((name) => !graph.inputs.includes(name));
}
