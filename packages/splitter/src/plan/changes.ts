// The candidates and the link as it is -> at which bandwidth and round trip another placement would be the best.
import { type Candidate, keepsAll, pacedTransferMs, predict, stagesOf, transferMs } from './candidate.ts';
import type { LinkProfile } from './profile.ts';
import type { PlanConstraints } from './request.ts';
import type { Goal } from './search.ts';

/** From this value on, another placement is the best. */
export interface Change {
  readonly parameter: 'uplinkBitsPerSecond' | 'roundTripMs';
  readonly direction: 'above' | 'below';
  readonly value: number;
  /** Null when no placement keeps the constraints there. */
  readonly becomes: Candidate | null;
}

interface Question {
  readonly pool: readonly Candidate[];
  readonly choice: Candidate;
  readonly link: LinkProfile;
  readonly waitMs: number;
  readonly goal: Goal;
  readonly constraints: PlanConstraints;
}

/** How far is looked, and by which factor a step. */
const RANGE = {
  uplinkBitsPerSecond: { least: 1e5, most: 1e10 },
  roundTripMs: { least: 0.1, most: 2000 },
} as const;
const STEP = 1.6;
const BISECTIONS = 10;

/** A placement takes over where it is better by more than this share. */
const CLEARLY = 1e-3;

export function changes(question: Question): Change[] {
  const found: Change[] = [];
  const prepared = contest(question);
  for (const parameter of ['uplinkBitsPerSecond', 'roundTripMs'] as const) {
    for (const direction of ['below', 'above'] as const) {
      const change = nearest(prepared, parameter, direction);
      if (change !== null) found.push(change);
    }
  }
  return found;
}

function nearest(contest: Contest, parameter: Change['parameter'], direction: Change['direction']): Change | null {
  const { least, most } = RANGE[parameter];
  const end = direction === 'above' ? most : least;
  const isInside = (value: number): boolean => (direction === 'above' ? value < end : value > end);
  let same = Math.max(contest.link[parameter], least);
  while (isInside(same)) {
    const stepped = direction === 'above' ? Math.min(end, same * STEP) : Math.max(end, same / STEP);
    let other = stepped;
    let becomes = usurper(contest, parameter, other);
    if (becomes === undefined) {
      same = stepped;
      continue;
    }
    for (let step = 0; step < BISECTIONS; step++) {
      const middle = Math.sqrt(same * other);
      const there = usurper(contest, parameter, middle);
      if (there === undefined) same = middle;
      else {
        other = middle;
        becomes = there;
      }
    }
    return { parameter, direction, value: other, becomes };
  }
  return null;
}

/** The placement that is clearly better than the choice at `value`; undefined when the choice stays. */
function usurper(
  { own, rivals, link, goal, deadlineMs }: Contest,
  parameter: Change['parameter'],
  value: number,
): Candidate | null | undefined {
  const there = { ...link, [parameter]: value };
  const price = (rival: Rival): number => {
    const { uplinkBytes, downlinkBytes } = rival.candidate;
    const uplinkMs = pacedTransferMs(uplinkBytes, there.uplinkBitsPerSecond, there);
    const downlinkMs = pacedTransferMs(downlinkBytes, there.downlinkBitsPerSecond, there);
    const moreMs = uplinkMs + downlinkMs + rival.roundTrips * there.roundTripMs;
    if (rival.p99Ms + moreMs > deadlineMs) return Number.POSITIVE_INFINITY;
    return goal === 'latency'
      ? rival.latencyMs + moreMs
      : Math.max(rival.slowestMs, transferMs(uplinkBytes, there.uplinkBitsPerSecond));
  };
  const ownMs = price(own);
  let best: Candidate | null = null;
  let least = ownMs === Number.POSITIVE_INFINITY ? ownMs : ownMs * (1 - CLEARLY);
  for (const rival of rivals) {
    const ms = price(rival);
    if (ms >= least) continue;
    least = ms;
    best = rival.candidate;
  }
  if (best !== null) return best;
  return ownMs === Number.POSITIVE_INFINITY ? null : undefined;
}

/** A candidate without its time on the link: what a thousand prices are made from quickly. */
interface Rival {
  readonly candidate: Candidate;
  readonly latencyMs: number;
  readonly p99Ms: number;
  /** The slowest stage but the uplink. */
  readonly slowestMs: number;
  readonly roundTrips: number;
}

interface Contest {
  readonly own: Rival;
  readonly rivals: readonly Rival[];
  readonly link: LinkProfile;
  readonly goal: Goal;
  readonly deadlineMs: number;
}

function contest({ pool, choice, link, waitMs, goal, constraints }: Question): Contest {
  const { deadlineMs = Number.POSITIVE_INFINITY, ...always } = constraints;
  const rival = (candidate: Candidate): Rival & { readonly keeps: boolean } => {
    const prediction = predict(candidate, link, waitMs);
    const { edge, cloud, downlink } = stagesOf(candidate, link);
    const roundTrips = candidate.placement === 'edge' ? 0 : 1;
    const onLinkMs = prediction.uplinkMs + prediction.downlinkMs + roundTrips * link.roundTripMs;
    return {
      candidate,
      keeps: keepsAll(candidate, prediction, always),
      latencyMs: prediction.latencyMs - onLinkMs,
      p99Ms: prediction.p99Ms - onLinkMs,
      slowestMs: Math.max(edge, cloud, downlink),
      roundTrips,
    };
  };
  const rivals = pool.map(rival).filter(({ keeps }) => keeps);
  return { own: rival(choice), rivals, link, goal, deadlineMs };
}
