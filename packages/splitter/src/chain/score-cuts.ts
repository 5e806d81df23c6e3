// Prices of placements on a grid of links -> how far a choice is from the best, and where each placement reigns.
import type { ChainLoss, ChainReign } from '@kerf/protocol';
import type { Market } from './price-cuts.ts';

/** How good a set of cuts is; {@link compareScores} orders them. */
export interface Score {
  /** Of the best among the set, the edge alone and the cloud alone. */
  readonly regret: ChainLoss;
  /** Of the best split of the set alone; null where it does not count. */
  readonly splitLoss: ChainLoss | null;
  readonly cuts: number;
}

/** Latencies this close are equal: they come from sums of rounded numbers. */
const EPSILON = 1e-9;

/** @param splitMs by uplink, without the round trip; infinite where the set has no cut. */
export function scoreOf(market: Market, splitMs: Float64Array, cuts: number, countsSplits: boolean): Score {
  const { edgeMs, cloudMs, links } = market;
  const best = bestOf(market);
  const roundTrips = links.roundTripMs;
  const regret = { worst: 0, sum: 0 };
  const loss = { worst: 0, sum: 0 };
  for (let uplink = 0, at = 0; uplink < splitMs.length; uplink++) {
    const ownMs = splitMs[uplink] as number;
    const placedMs = Math.min(ownMs, cloudMs[uplink] as number);
    for (let trip = 0; trip < roundTrips.length; trip++, at++) {
      const roundTripMs = roundTrips[trip] as number;
      const bestMs = best[at] as number;
      add(regret, Math.min(edgeMs, placedMs + roundTripMs) / bestMs - 1);
      if (countsSplits) add(loss, (ownMs + roundTripMs) / bestMs - 1);
    }
  }
  const lossOf = ({ worst, sum }: typeof regret): ChainLoss => ({ worst, mean: sum / Math.max(1, best.length) });
  return { regret: lossOf(regret), splitLoss: countsSplits ? lossOf(loss) : null, cuts };
}

function add(total: { worst: number; sum: number }, loss: number): void {
  // The planner's exact cut may be a rounding error above a listed one.
  if (loss > total.worst) total.worst = loss;
  if (loss > 0) total.sum += loss;
}

const known = new WeakMap<Market, Float64Array>();

/** The least latency on every link, by uplink and then by round trip. */
function bestOf(market: Market): Float64Array {
  const { edgeMs, cloudMs, splitMs, links } = market;
  const best =
    known.get(market) ??
    Float64Array.from(
      [...cloudMs].flatMap((remoteMs, at) => {
        const leastMs = Math.min(splitMs[at] as number, remoteMs);
        return links.roundTripMs.map((roundTripMs) => Math.min(edgeMs, leastMs + roundTripMs));
      }),
    );
  known.set(market, best);
  return best;
}

/** Below 0 when `left` is better: worst regret, mean regret, worst and mean loss of the splits, then fewer cuts. */
export function compareScores(left: Score, right: Score): number {
  const pairs: [number, number][] = [
    [left.regret.worst, right.regret.worst],
    [left.regret.mean, right.regret.mean],
    [left.splitLoss?.worst ?? 0, right.splitLoss?.worst ?? 0],
    [left.splitLoss?.mean ?? 0, right.splitLoss?.mean ?? 0],
  ];
  const differing = pairs.find(([mine, other]) => mine !== other && !(Math.abs(mine - other) <= EPSILON));
  return differing === undefined ? left.cuts - right.cuts : differing[0] - differing[1];
}

/** Where each placement is the best of the edge, the cloud and the cuts given. Of equal ones the edge, then the cloud. */
export interface Reigns {
  readonly edge: ChainReign | null;
  readonly cloud: ChainReign | null;
  readonly cuts: readonly (ChainReign | null)[];
}

/** @param cuts milliseconds by uplink, without the round trip. */
export function reignsOf({ links, edgeMs, cloudMs }: Market, cuts: readonly Float64Array[]): Reigns {
  const regions = [new Region(), new Region(), ...cuts.map(() => new Region())];
  let count = 0;
  links.uplinkBitsPerSecond.forEach((uplink, at) => {
    const remote = [cloudMs, ...cuts].map((ms) => ms[at] as number);
    for (const roundTripMs of links.roundTripMs) {
      let winner = 0;
      let leastMs = edgeMs;
      remote.forEach((ms, place) => {
        if (ms + roundTripMs >= leastMs * (1 - EPSILON)) return;
        leastMs = ms + roundTripMs;
        winner = place + 1;
      });
      regions[winner]?.add(uplink, roundTripMs);
      count++;
    }
  });
  const [edge, cloud, ...rest] = regions.map((region) => region.reign(count));
  return { edge: edge ?? null, cloud: cloud ?? null, cuts: rest };
}

class Region {
  #count = 0;
  #uplink: [number, number] = [Number.POSITIVE_INFINITY, 0];
  #roundTrip: [number, number] = [Number.POSITIVE_INFINITY, 0];

  add(uplink: number, roundTripMs: number): void {
    this.#count++;
    this.#uplink = [Math.min(this.#uplink[0], uplink), Math.max(this.#uplink[1], uplink)];
    this.#roundTrip = [Math.min(this.#roundTrip[0], roundTripMs), Math.max(this.#roundTrip[1], roundTripMs)];
  }

  reign(all: number): ChainReign | null {
    if (this.#count === 0) return null;
    return { share: this.#count / all, uplinkBitsPerSecond: this.#uplink, roundTripMs: this.#roundTrip };
  }
}
