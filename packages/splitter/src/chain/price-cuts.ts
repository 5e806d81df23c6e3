// A graph, profiles and a grid of links -> every cut with its milliseconds at each uplink, and the best that is possible.
import type { ModelGraph } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import { fusedValues } from '../fused-pairs.ts';
import { ancestors } from '../list-cuts.ts';
import { type Candidate, predict } from '../plan/candidate.ts';
import { type Plan, plan } from '../plan/plan.ts';
import { planCosts } from '../plan/plan-costs.ts';
import { type LinkProfile, statedLink } from '../plan/profile.ts';
import type { PlanRequest } from '../plan/request.ts';
import { scopeOf } from '../plan/scope.ts';
import { listedSplits } from '../plan/search.ts';
import { workGraph } from '../work-graph.ts';
import type { LinkGrid } from './links.ts';

/** What a chain is chosen from: the planner's request without a link. */
export type CostRequest = Pick<PlanRequest, 'edge' | 'cloud' | 'codecs' | 'images' | 'waitMs'>;

export interface CutOption {
  /** Values of the head that cross; model inputs that the tail needs follow from them. */
  readonly tensors: readonly string[];
  /** Positions of the head's nodes in the work of the graph. */
  readonly head: ReadonlySet<number>;
  /** Positions of the nodes that make `tensors`: a head that holds them holds everything before them. */
  readonly ends: readonly number[];
  /** Latency at each uplink of the grid, without the round trip. */
  readonly ms: Float64Array;
}

/** Latencies by uplink, all but the edge's without the round trip: it adds to every placement but the edge. */
export interface Market {
  readonly links: LinkGrid;
  readonly edgeMs: number;
  readonly cloudMs: Float64Array;
  /** The best split of all, as the planner finds it. */
  readonly splitMs: Float64Array;
  /** In the order of their heads' sizes. */
  readonly options: readonly CutOption[];
}

/**
 * Asks the planner at every uplink. The cuts are those that it finds best there and every listed one; cuts inside a pair
 * that the runtime fuses are no options.
 * @throws {KerfError} INVALID_ARGUMENT as `plan` does.
 */
export function priceCuts(graph: ModelGraph, request: CostRequest, links: LinkGrid): Market {
  const uplinks = links.uplinkBitsPerSecond.map((uplinkBitsPerSecond) =>
    statedLink({ uplinkBitsPerSecond, roundTripMs: 0 }),
  );
  const plans = uplinks.map((link) => planned(graph, { ...request, link }));
  const found = plans.flatMap(({ bestOf }) => (bestOf.split === null ? [] : [bestOf.split.candidate]));
  const costs = planCosts(graph, { ...request, link: uplinks[0] as LinkProfile });
  const listed = listedSplits(scopeOf(costs, { ...request, link: uplinks[0] as LinkProfile }, {}));
  const latency = (some: Plan['bestOf']['edge']): number => some?.prediction.latencyMs ?? Number.POSITIVE_INFINITY;
  return {
    links,
    edgeMs: latency(plans[0]?.bestOf.edge ?? null),
    cloudMs: Float64Array.from(plans, ({ bestOf }) => latency(bestOf.cloud)),
    splitMs: Float64Array.from(plans, ({ bestOf }) => latency(bestOf.split)),
    options: optionsOf(graph, [...found, ...listed], uplinks, request.waitMs ?? 0),
  };
}

function planned(graph: ModelGraph, request: PlanRequest): Plan {
  const found = plan(graph, request);
  if (found.outcome === 'planned') return found;
  throw new KerfError('INTERNAL', `no placement keeps ${found.conflict.join(', ')}, and none was asked for`);
}

/** One option a cut, with the least of its codecs at each uplink. */
function optionsOf(
  graph: ModelGraph,
  candidates: readonly Candidate[],
  uplinks: readonly LinkProfile[],
  waitMs: number,
): CutOption[] {
  const fused = fusedValues(graph);
  const inputs = new Set(graph.inputs);
  const { producer } = workGraph(graph);
  const options = new Map<string, CutOption>();
  for (const candidate of candidates) {
    const tensors = candidate.crossing.map(({ name }) => name).filter((name) => !inputs.has(name));
    if (tensors.some((name) => fused.has(name))) continue;
    const key = JSON.stringify([...tensors].sort());
    const option = options.get(key) ?? {
      tensors,
      head: ancestors(graph, tensors),
      ends: tensors.flatMap((name) => producer.get(name) ?? []),
      ms: new Float64Array(uplinks.length).fill(Number.POSITIVE_INFINITY),
    };
    options.set(key, option);
    uplinks.forEach((link, at) => {
      option.ms[at] = Math.min(option.ms[at] as number, predict(candidate, link, waitMs).latencyMs);
    });
  }
  return [...options.values()].sort((left, right) => left.head.size - right.head.size);
}
