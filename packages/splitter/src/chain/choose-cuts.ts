// A graph and profiles of an edge and a cloud -> the cuts of a chain, and how far they are from a free choice of cuts.
import type { ModelGraph } from '@kerf/onnx';
import {
  type ChainChoice,
  type ChainExpectation,
  type ChainLoss,
  type ChainReign,
  KerfError,
  MAX_CHAIN_SEGMENTS,
} from '@kerf/protocol';
import { priceDivisions } from '../plan/price-divisions.ts';
import { statedLink } from '../plan/profile.ts';
import { planCut } from '../plan-cut.ts';
import { DEFAULT_LINKS, type LinkGrid } from './links.ts';
import { type CostRequest, type Market, priceCuts } from './price-cuts.ts';
import { reignsOf } from './score-cuts.ts';
import { selectCuts } from './select-cuts.ts';

export interface ChooseCutsRequest extends CostRequest {
  /** @default 6 */
  readonly maxSegments?: number;
  /** Exactly this many cuts, also where fewer or none are ever the best placement. */
  readonly cuts?: number;
  /** @default 0.1 to 1000 Mbit/s and 1 to 200 ms, ten points a decade */
  readonly links?: LinkGrid;
}

export interface ChosenCuts {
  /** Nested, the smallest head first. */
  readonly cuts: readonly { readonly tensors: readonly string[]; readonly reign: ChainReign | null }[];
  readonly choice: ChainChoice;
  /** Of the best split of the chain where the frame must be split; only where a number of cuts was asked for. */
  readonly splitLoss: ChainLoss | null;
}

/**
 * The cuts that are optimal on some link where they are nested and few enough; else the nested set with the least worst
 * regret, then the least mean regret. Pure: no clock, no I/O. Where no split is ever the best there are no cuts, unless
 * `cuts` asks for some: then those that lose least against the best placement.
 * @throws {KerfError} INVALID_ARGUMENT for counts that cannot be, for more cuts than can be nested, and as `plan` does.
 */
export function chooseCuts(graph: ModelGraph, request: ChooseCutsRequest): ChosenCuts {
  const { maxSegments = MAX_CHAIN_SEGMENTS, cuts: wanted, links = DEFAULT_LINKS } = request;
  checkCount('maxSegments', maxSegments, 1, MAX_CHAIN_SEGMENTS);
  if (wanted !== undefined) checkCount('cuts', wanted, 0, maxSegments - 1);
  const market = priceCuts(graph, request, links);
  const selection = selectCuts(market, { most: wanted ?? maxSegments - 1, exactly: wanted !== undefined });
  if (selection === null) {
    throw new KerfError('INVALID_ARGUMENT', `the model has no ${wanted} nested cuts; ask for fewer`);
  }
  const { chosen, score, isExact } = selection;
  const reigns = reignsOf(
    market,
    chosen.map(({ ms }) => ms),
  );
  return {
    cuts: chosen.map(({ tensors }, at) => ({ tensors, reign: reigns.cuts[at] ?? null })),
    choice: {
      links: {
        count: links.uplinkBitsPerSecond.length * links.roundTripMs.length,
        uplinkBitsPerSecond: endsOf(links.uplinkBitsPerSecond),
        roundTripMs: endsOf(links.roundTripMs),
      },
      optimalCuts: optimalCuts(market),
      regret: score.regret,
      isExact,
      edge: reigns.edge,
      cloud: reigns.cloud,
      expected: expected(graph, request, chosen),
    },
    splitLoss: score.splitLoss,
  };
}

/** What a device knows of its routes before it has tried them. Times do not depend on the link that codecs are chosen for. */
function expected(
  graph: ModelGraph,
  request: CostRequest,
  cuts: readonly { readonly tensors: readonly string[] }[],
): readonly ChainExpectation[] | null {
  const named = cuts.map(({ tensors }) => planCut(graph, tensors).cut);
  const prices = priceDivisions(graph, { ...request, link: USUAL_LINK }, named);
  const places = [prices.cloud, ...prices.cuts, prices.edge].flatMap((place) => place ?? []);
  if (places.length < cuts.length + 2) return null;
  return places.map(({ edgeMs, cloudMs, decodeMs, crossingMs, downlinkBytes }) => ({
    edgeMs,
    cloudMs: cloudMs + decodeMs + crossingMs,
    downlinkBytes,
  }));
}

const USUAL_LINK = statedLink({ uplinkBitsPerSecond: 1e7, roundTripMs: 20 });

/** Cuts that reign somewhere when all are offered. */
function optimalCuts(market: Market): number {
  return reignsOf(
    market,
    market.options.map(({ ms }) => ms),
  ).cuts.filter((reign) => reign !== null).length;
}

function endsOf(values: readonly number[]): [number, number] {
  return [values[0] ?? 0, values.at(-1) ?? 0];
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new KerfError('INVALID_ARGUMENT', `${name} must be a whole number from ${least} to ${most}, got ${value}`);
}
