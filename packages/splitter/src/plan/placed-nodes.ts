// A graph, a request and a placement -> its nodes with their times on either side, those on the edge before those in the cloud.
import type { ModelGraph } from '@kerf/onnx';
import { ancestors } from '../list-cuts.ts';
import type { Candidate } from './candidate.ts';
import { planCosts } from './plan-costs.ts';
import type { PlanRequest } from './request.ts';

export interface PlacedNode {
  readonly name: string;
  readonly opType: string;
  /** Positions in the same list, all smaller than its own. */
  readonly from: readonly number[];
  /** Of all that it makes; null where a size is not known. */
  readonly bytes: number | null;
  /** Calibrated to what was measured, so that they add up to it. */
  readonly edgeMs: number;
  readonly cloudMs: number;
  readonly onEdge: boolean;
}

/** Nodes that a cut divides, in topological order. @throws {KerfError} as {@link plan}. */
export function placedNodes(
  graph: ModelGraph,
  request: PlanRequest,
  candidate: Pick<Candidate, 'placement' | 'crossing'>,
): PlacedNode[] {
  const { work, edge, cloud } = planCosts(graph, request);
  const head = ancestors(
    graph,
    candidate.crossing.map(({ name }) => name),
  );
  const onEdge = work.nodes.map((_, at) => candidate.placement === 'edge' || head.has(at));
  const order = [true, false].flatMap((side) => work.nodes.flatMap((_, at) => (onEdge[at] === side ? [at] : [])));
  const place = new Map(order.map((at, position) => [at, position]));
  const sizes = new Map([...request.cloud.values, ...request.edge.values].map(({ name, bytes }) => [name, bytes]));
  return order.map((at) => {
    const node = work.nodes[at] as (typeof work.nodes)[number];
    const makers = node.reads.flatMap((name) => place.get(work.producer.get(name) ?? -1) ?? []);
    const bytes = node.outputs.map((name) => sizes.get(name) ?? null);
    return {
      name: node.record.name,
      opType: node.record.opType,
      from: [...new Set(makers)].sort((left, right) => left - right),
      bytes: bytes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0 as number | null),
      edgeMs: edge.nodeMs[at] as number,
      cloudMs: cloud.nodeMs[at] as number,
      onEdge: onEdge[at] === true,
    };
  });
}
