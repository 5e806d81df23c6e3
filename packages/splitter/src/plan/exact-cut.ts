// The table of costs and a price per part of a frame -> the cheapest split of all that the graph allows, as a candidate.
import { boundedCut } from './bounded-cut.ts';
import { type Candidate, type Coding, canSend, headCosts, splitCandidate, transferMs } from './candidate.ts';
import type { ClosureSums } from './closure-sums.ts';
import { CutNetwork, type CutProblem, type Division, PIN } from './min-cut.ts';
import type { PlanCosts, PlanValue } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import { codedBytes, type PlanCodec, type PlanConstraints } from './request.ts';

/** What a millisecond of each part of a frame counts. */
export interface PartPrices {
  readonly edge: number;
  readonly encode: number;
  readonly uplink: number;
  readonly crossing: number;
  readonly decode: number;
  readonly cloud: number;
  readonly downlink: number;
}

export interface ExactCut {
  /** Null when the best division sends everything: then it is no split. */
  readonly candidate: Candidate | null;
  /** The best division from sums of nodes only, as the bound sees it; the cloud alone included. */
  readonly modelled: Candidate | null;
  /** No split is cheaper, in priced milliseconds without round trip and wait; from sums of nodes. */
  readonly lowerBound: number;
}

export interface CutQuestion {
  readonly costs: PlanCosts;
  readonly link: LinkProfile;
  readonly prices: PartPrices;
  readonly codecs: readonly PlanCodec[];
  readonly constraints: PlanConstraints;
  /** Only splits of which no stage takes longer: leaves out what alone would. @default any */
  readonly within?: StageLimit;
}

export interface StageLimit {
  readonly ms: number;
  readonly sums: ClosureSums;
}

/** So that a limit is kept by what takes exactly as long. */
const SLACK = 1 + 1e-9;

/**
 * Final nodes stay in the tail, as the rule of the cut says (the head is what the cut depends on); values in the codec
 * that is cheapest for each.
 * @returns null when no split keeps the constraints.
 */
export function exactCut(question: CutQuestion): ExactCut | null {
  const { costs, prices, constraints } = question;
  const coding = cheapest(question);
  const problem = cutProblem(question, coding);
  if (problem === null) return null;
  const solved = solve(problem, constraints.maxEdgeWeightsBytes);
  if (solved === null) return null;
  const { onEdge } = solved.division;
  const isCloud = (at: number): boolean => onEdge[at] !== 1;
  const crossing = costs.values.filter(
    ({ producer, consumers }) => (producer < 0 || !isCloud(producer)) && consumers.some(isCloud),
  );
  const isSplit = crossing.some(({ producer }) => producer >= 0);
  const names = crossing.map(({ name }) => name);
  const candidateOf = (table: PlanCosts): Candidate | null =>
    splitCandidate(table, headCosts(table, onEdge, names), names, coding);
  return {
    candidate: isSplit ? candidateOf(costs) : null,
    modelled: candidateOf(unmeasured(costs)),
    lowerBound: solved.lowerBound + prices.crossing * costs.crossing.perFrameMs,
  };
}

function solve(
  problem: CutProblem,
  maxWeightsBytes: number | undefined,
): { readonly division: Division; readonly lowerBound: number } | null {
  if (maxWeightsBytes === undefined) {
    const division = new CutNetwork(problem).solve();
    return division === null ? null : { division, lowerBound: division.cost };
  }
  const bounded = boundedCut(problem, maxWeightsBytes);
  return bounded === null ? null : { division: bounded.best, lowerBound: bounded.lowerBound };
}

function unmeasured(costs: PlanCosts): PlanCosts {
  const measured = new Map();
  return { ...costs, edge: { ...costs.edge, measured }, cloud: { ...costs.cloud, measured } };
}

/** The codec that costs a value least at these prices. */
function cheapest({ link, prices, codecs, within }: CutQuestion): Coding {
  const limitMs = (within?.ms ?? Number.POSITIVE_INFINITY) * SLACK;
  return (name, costs) => {
    const value = costs.valueByName.get(name);
    if (value === undefined || !canSend(costs, name)) return null;
    let best: { codec: PlanCodec; bytes: number; price: number } | null = null;
    for (const codec of codecs) {
      const bytes = value.profiled === null ? null : codedBytes(codec, value.profiled);
      if (bytes === null || transferMs(bytes, link.uplinkBitsPerSecond) > limitMs) continue;
      const price = sendPrice(costs, value, { codec, bytes, link, prices });
      if (best === null || price < best.price) best = { codec, bytes, price };
    }
    return best;
  };
}

function sendPrice(
  costs: PlanCosts,
  value: PlanValue,
  sent: Pick<CutQuestion, 'link' | 'prices'> & { readonly codec: PlanCodec; readonly bytes: number },
): number {
  const { codec, bytes, link, prices } = sent;
  const megabytes = (value.profiled?.bytes ?? 0) / 1e6;
  return (
    prices.uplink * transferMs(bytes, link.uplinkBitsPerSecond) +
    prices.crossing * costs.crossing.perMegabyteMs * (bytes / 1e6) +
    prices.encode * codec.encodeMsPerMegabyte * megabytes +
    prices.decode * codec.decodeMsPerMegabyte * megabytes
  );
}

/** Where nodes must run; null when one must be on both sides. */
function pinsOf({ costs, constraints, within }: CutQuestion): Uint8Array | null {
  const pins = Uint8Array.from(costs.isLast, (last) => (last === 1 ? PIN.cloud : PIN.free));
  let isTorn = false;
  const pin = (node: number, side: number): void => {
    isTorn ||= pins[node] !== PIN.free && pins[node] !== side;
    pins[node] = side;
  };
  if (constraints.keepOnEdge !== undefined) for (const node of costs.kept.nodes) pin(node, PIN.edge);
  if (within !== undefined) {
    const { sums, ms } = within;
    sums.edgeMs.forEach((sum, node) => {
      if (sum > ms * SLACK) pin(node, PIN.cloud);
    });
    sums.cloudMs.forEach((sum, node) => {
      if (sum > ms * SLACK) pin(node, PIN.edge);
    });
  }
  return isTorn ? null : pins;
}

/** Null when a node must be on the edge that can only be in the tail. */
function cutProblem(question: CutQuestion, coding: Coding): CutProblem | null {
  const { costs, link, prices, constraints } = question;
  const { outputBytes, answerMs } = costs;
  const pins = pinsOf(question);
  if (pins === null) return null;
  return {
    edgeCost: costs.edge.nodeMs.map((ms) => ms * prices.edge),
    cloudCost: costs.cloud.nodeMs.map(
      (ms, at) =>
        ms * prices.cloud +
        prices.crossing * (answerMs[at] as number) +
        prices.downlink * transferMs(outputBytes[at] as number, link.downlinkBitsPerSecond),
    ),
    values: costs.values.map((value) => {
      const { name, producer, consumers } = value;
      const isSecret = constraints.noRawInput === true && costs.rawValues.has(name);
      const coded = isSecret ? null : coding(name, costs);
      const crossCost = coded === null ? Number.POSITIVE_INFINITY : sendPrice(costs, value, { ...coded, link, prices });
      return { producer, consumers, crossCost };
    }),
    pins,
    weights: costs.weights,
  };
}
