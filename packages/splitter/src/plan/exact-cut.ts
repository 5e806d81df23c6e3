// The table of costs and a price per stage -> the cheapest split of all that the graph allows, as a candidate.
import { boundedCut } from './bounded-cut.ts';
import { type Candidate, type Coding, headCosts, splitCandidate, transferMs } from './candidate.ts';
import { CutNetwork, type CutProblem, type Division, PIN } from './min-cut.ts';
import type { PlanCosts, PlanValue } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import { codedBytes, type PlanCodec, type PlanConstraints } from './request.ts';

/** What a millisecond of each stage counts. */
export interface StagePrices {
  readonly edge: number;
  readonly uplink: number;
  readonly cloud: number;
  readonly downlink: number;
}

export interface ExactCut {
  /** Null when the best division sends everything: then it is no split. */
  readonly candidate: Candidate | null;
  /** No split is cheaper, in priced milliseconds without round trip and wait; from sums of nodes. */
  readonly lowerBound: number;
}

/**
 * Final nodes stay in the tail, as the rule of the cut says (the head is what the cut depends on); values in the codec
 * that is cheapest for each.
 * @returns null when no split keeps the constraints.
 */
export function exactCut(
  costs: PlanCosts,
  link: LinkProfile,
  prices: StagePrices,
  codecs: readonly PlanCodec[],
  constraints: PlanConstraints,
): ExactCut | null {
  const coding = cheapest(link, prices, codecs);
  const problem = cutProblem(costs, link, prices, coding, constraints);
  if (problem === null) return null;
  const limit = constraints.maxEdgeWeightsBytes;
  let division: Division | null;
  let lowerBound: number;
  if (limit === undefined) {
    division = new CutNetwork(problem).solve();
    lowerBound = division?.cost ?? Number.POSITIVE_INFINITY;
  } else {
    const bounded = boundedCut(problem, limit);
    division = bounded?.best ?? null;
    lowerBound = bounded?.lowerBound ?? Number.POSITIVE_INFINITY;
  }
  if (division === null) return null;
  const { onEdge } = division;
  const isCloud = (at: number): boolean => onEdge[at] !== 1;
  const crossing = costs.values.filter(
    ({ producer, consumers }) => (producer < 0 || !isCloud(producer)) && consumers.some(isCloud),
  );
  const isSplit = crossing.some(({ producer }) => producer >= 0);
  const names = crossing.map(({ name }) => name);
  const candidate = isSplit ? splitCandidate(costs, headCosts(costs, onEdge, names), names, coding) : null;
  return { candidate, lowerBound };
}

/** The codec that costs a value least at these prices. */
function cheapest(link: LinkProfile, prices: StagePrices, codecs: readonly PlanCodec[]): Coding {
  return (name, costs) => {
    const value = costs.valueByName.get(name);
    if (value === undefined || costs.kept.values.has(name)) return null;
    let best: { codec: PlanCodec; bytes: number; price: number } | null = null;
    for (const codec of codecs) {
      const bytes = value.profiled === null ? null : codedBytes(codec, value.profiled);
      if (bytes === null) continue;
      const price = sendPrice(value, codec, bytes, link, prices);
      if (best === null || price < best.price) best = { codec, bytes, price };
    }
    return best;
  };
}

function sendPrice(value: PlanValue, codec: PlanCodec, bytes: number, link: LinkProfile, prices: StagePrices): number {
  const megabytes = (value.profiled?.bytes ?? 0) / 1e6;
  return (
    prices.uplink * transferMs(bytes, link.uplinkBitsPerSecond) +
    prices.edge * codec.encodeMsPerMegabyte * megabytes +
    prices.cloud * codec.decodeMsPerMegabyte * megabytes
  );
}

/** Null when a node must be on the edge that can only be in the tail. */
function cutProblem(
  costs: PlanCosts,
  link: LinkProfile,
  prices: StagePrices,
  coding: Coding,
  constraints: PlanConstraints,
): CutProblem | null {
  const { isLast, outputBytes } = costs;
  const pins = Uint8Array.from(isLast, (last) => (last === 1 ? PIN.cloud : PIN.free));
  const keeps = constraints.keepOnEdge !== undefined;
  if (keeps) {
    if (costs.kept.nodes.some((node) => isLast[node] === 1)) return null;
    for (const node of costs.kept.nodes) pins[node] = PIN.edge;
  }
  return {
    edgeCost: costs.edge.nodeMs.map((ms) => ms * prices.edge),
    cloudCost: costs.cloud.nodeMs.map(
      (ms, at) =>
        ms * prices.cloud + prices.downlink * transferMs(outputBytes[at] as number, link.downlinkBitsPerSecond),
    ),
    values: costs.values.map((value) => {
      const { name, producer, consumers } = value;
      const isSecret = constraints.noRawInput === true && producer < 0;
      const coded = isSecret ? null : coding(name, costs);
      const crossCost =
        coded === null ? Number.POSITIVE_INFINITY : sendPrice(value, coded.codec, coded.bytes, link, prices);
      return { producer, consumers, crossCost };
    }),
    pins,
    weights: costs.weights,
  };
}
