// The candidates and the link as it is -> at which bandwidth and round trip another placement would be the best.
import { type Candidate, keepsAll, predict } from './candidate.ts';
import type { LinkProfile } from './profile.ts';
import type { PlanConstraints } from './request.ts';
import { type Goal, objective } from './search.ts';

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
  for (const parameter of ['uplinkBitsPerSecond', 'roundTripMs'] as const) {
    for (const direction of ['below', 'above'] as const) {
      const change = nearest(question, parameter, direction);
      if (change !== null) found.push(change);
    }
  }
  return found;
}

function nearest(question: Question, parameter: Change['parameter'], direction: Change['direction']): Change | null {
  const { least, most } = RANGE[parameter];
  const end = direction === 'above' ? most : least;
  const isInside = (value: number): boolean => (direction === 'above' ? value < end : value > end);
  let same = Math.max(question.link[parameter], least);
  while (isInside(same)) {
    const stepped = direction === 'above' ? Math.min(end, same * STEP) : Math.max(end, same / STEP);
    let other = stepped;
    let becomes = usurper(question, parameter, other);
    if (becomes === undefined) {
      same = stepped;
      continue;
    }
    for (let step = 0; step < BISECTIONS; step++) {
      const middle = Math.sqrt(same * other);
      const there = usurper(question, parameter, middle);
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
function usurper(question: Question, parameter: Change['parameter'], value: number): Candidate | null | undefined {
  const { pool, choice, waitMs, goal, constraints } = question;
  const link = { ...question.link, [parameter]: value };
  const price = (candidate: Candidate): number => {
    const prediction = predict(candidate, link, waitMs);
    return keepsAll(candidate, prediction, constraints) ? objective(prediction, goal) : Number.POSITIVE_INFINITY;
  };
  const own = price(choice);
  let best: Candidate | null = null;
  let least = own === Number.POSITIVE_INFINITY ? own : own * (1 - CLEARLY);
  for (const candidate of pool) {
    const ms = price(candidate);
    if (ms >= least) continue;
    least = ms;
    best = candidate;
  }
  if (best !== null) return best;
  return own === Number.POSITIVE_INFINITY ? null : undefined;
}
