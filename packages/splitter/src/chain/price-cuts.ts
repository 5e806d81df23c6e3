// A graph, profiles and a grid of links -> every cut with its milliseconds at each uplink, and the best that is possible.
import type { ModelGraph } from '@kerf/onnx';
import { fusedValues } from '../fused-pairs.ts';
import { ancestors } from '../list-cuts.ts';
import { type Candidate, candidateKey, predict } from '../plan/candidate.ts';
import type { ExactCut } from '../plan/exact-cut.ts';
import { LATENCY } from '../plan/part-prices.ts';
import { planCosts } from '../plan/plan-costs.ts';
import { type LinkProfile, statedLink } from '../plan/profile.ts';
import type { PlanRequest } from '../plan/request.ts';
import { type Scope, scopeOf } from '../plan/scope.ts';
import { listedSplits, splitAt, wholeCandidates } from '../plan/search.ts';
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
 * What the planner knows of a model, asked at every uplink: the edge, the cloud, and of splits every listed one and the exact
 * cut. The options are the listed ones and those that are the best somewhere; cuts inside a pair that the runtime fuses are none.
 * @throws {KerfError} INVALID_ARGUMENT as `plan` does.
 */
export function priceCuts(graph: ModelGraph, request: CostRequest, links: LinkGrid): Market {
  const uplinks = links.uplinkBitsPerSecond.map((uplinkBitsPerSecond) =>
    statedLink({ uplinkBitsPerSecond, roundTripMs: 0 }),
  );
  const { waitMs = 0 } = request;
  const asked = { ...request, link: uplinks[0] as LinkProfile };
  // What does not depend on the link is worked out once.
  const scope = scopeOf(planCosts(graph, asked), asked, {});
  const whole = wholeCandidates(scope, asked);
  const listed = listedSplits(scope);
  const splits = [...listed, ...exactSplits(scope, uplinks)];
  const at = (candidates: readonly Candidate[], link: LinkProfile): Fastest => fastest(candidates, link, waitMs);
  const best = uplinks.map((link) => at(splits, link));
  const wholeMs = (placement: Candidate['placement'], link: LinkProfile): number =>
    at(
      whole.filter((one) => one.placement === placement),
      link,
    ).ms;
  return {
    links,
    edgeMs: wholeMs('edge', asked.link),
    cloudMs: Float64Array.from(uplinks, (link) => wholeMs('cloud', link)),
    splitMs: Float64Array.from(best, ({ ms }) => ms),
    options: optionsOf(graph, [...best.flatMap(({ candidate }) => candidate ?? []), ...listed], uplinks, waitMs),
  };
}

/**
 * The exact cuts of a grid of uplinks. What a cut costs is linear in the time of a bit, and the least of all of them is concave:
 * a cut that is the least at two uplinks is the least at all between them.
 */
function exactSplits(scope: Scope, uplinks: readonly LinkProfile[]): Candidate[] {
  const solve = (at: number): ExactCut | null => splitAt(scope, LATENCY, { link: uplinks[at] as LinkProfile });
  const found: (ExactCut | null)[] = [];
  const between = (from: number, first: ExactCut | null, to: number, last: ExactCut | null): void => {
    if (to - from < 2 || isSameCut(first, last)) return;
    const at = (from + to) >> 1;
    const middle = solve(at);
    found.push(middle);
    between(from, first, at, middle);
    between(at, middle, to, last);
  };
  const [first, last] = [solve(0), solve(uplinks.length - 1)];
  between(0, first, uplinks.length - 1, last);
  return [first, ...found, last].flatMap((cut) => cut?.candidate ?? []);
}

function isSameCut(left: ExactCut | null, right: ExactCut | null): boolean {
  if (left?.modelled == null || right?.modelled == null) return false;
  return candidateKey(left.modelled) === candidateKey(right.modelled);
}

interface Fastest {
  readonly candidate: Candidate | null;
  readonly ms: number;
}

function fastest(candidates: readonly Candidate[], link: LinkProfile, waitMs: number): Fastest {
  let best: Fastest = { candidate: null, ms: Number.POSITIVE_INFINITY };
  for (const candidate of candidates) {
    const ms = predict(candidate, link, waitMs).latencyMs;
    if (ms < best.ms) best = { candidate, ms };
  }
  return best;
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
