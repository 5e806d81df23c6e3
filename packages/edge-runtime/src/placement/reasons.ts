// The numbers of a decision -> why frames go elsewhere, as a code with its values: whoever shows it words it.
import { type Price, SEGMENT } from './price.ts';
import type { RouteView } from './route-view.ts';
import type { RouteRefusal } from './routes.ts';
import type { Weighing } from './weighing.ts';

/** What a frame's time is made of; `waiting` is for frames before it, where they come faster than the route takes them. */
export type TimePart = 'waiting' | 'device' | 'encode' | 'uplink' | 'downlink' | 'round-trip' | 'queue' | 'cloud';

/** Times in milliseconds; null where nobody knows. `ms` is what a frame takes on the new route. */
export type SwitchReason =
  | {
      readonly code: 'gain';
      readonly ms: number | null;
      readonly fromMs: number | null;
      /** Less than that is not worth a switch. */
      readonly marginMs: number;
      /** The parts that tell the two apart most, at most three: milliseconds more, or less, than before. */
      readonly changes: readonly { readonly part: TimePart; readonly byMs: number }[];
    }
  /** Frames in a row were not answered in time. */
  | { readonly code: 'missed'; readonly frames: number; readonly ms: number | null }
  /** Slow frames would not be. */
  | { readonly code: 'slow'; readonly worstMs: number; readonly deadlineMs: number; readonly ms: number | null }
  | { readonly code: 'link-lost'; readonly ms: number | null }
  | { readonly code: 'refused'; readonly by: 'constraint'; readonly refusal: RouteRefusal }
  /** The cloud does not have the model, or the route is gone. */
  | { readonly code: 'refused'; readonly by: 'cloud' | 'missing' }
  | { readonly code: 'pinned' };

export const reasons = {
  /** By the times that decided, what frames wait for each other included. */
  gain(current: RouteView, best: RouteView, weighing: Weighing): SwitchReason {
    return {
      code: 'gain',
      ms: best.price === null ? null : weighing.expectedMs(best.price),
      fromMs: current.price === null ? null : weighing.expectedMs(current.price),
      marginMs: weighing.marginMs(current, best),
      changes: current.price === null || best.price === null ? [] : changesOf(current.price, best.price, weighing),
    };
  },

  deadline(target: RouteView, misses: number, worstMs: number, deadlineMs: number): SwitchReason {
    const ms = target.price?.ms ?? null;
    return misses > 0 ? { code: 'missed', frames: misses, ms } : { code: 'slow', worstMs, deadlineMs, ms };
  },

  linkLost(target: RouteView): SwitchReason {
    return { code: 'link-lost', ms: target.price?.ms ?? null };
  },

  refused(routes: readonly RouteView[], name: string): SwitchReason {
    const view = routes.find(({ route }) => route.name === name);
    const refusal = view?.route.refusal ?? null;
    if (refusal !== null) return { code: 'refused', by: 'constraint', refusal };
    return { code: 'refused', by: view?.isBroken === true ? 'cloud' : 'missing' };
  },
};

const MOST_CHANGES = 3;
const LEAST_MS = 0.5;

function changesOf(current: Price, best: Price, weighing: Weighing): { part: TimePart; byMs: number }[] {
  const waitingMs = weighing.waitingMs(best) - weighing.waitingMs(current);
  const byPart = new Map<TimePart, number>([['waiting', waitingMs]]);
  for (const [price, sign] of [
    [current, -1],
    [best, 1],
  ] as const) {
    for (const [name, { ms }] of price.terms) byPart.set(partOf(name), (byPart.get(partOf(name)) ?? 0) + sign * ms);
  }
  return [...byPart]
    .map(([part, byMs]) => ({ part, byMs }))
    .sort((left, right) => Math.abs(right.byMs) - Math.abs(left.byMs))
    .slice(0, MOST_CHANGES)
    .filter(({ byMs }) => Math.abs(byMs) >= LEAST_MS);
}

/** Terms have names as `priceOf` gives them. */
function partOf(name: string): TimePart {
  if (name.startsWith(SEGMENT)) return 'device';
  if (name.startsWith('encode ')) return 'encode';
  if (name.startsWith('cloud ')) return 'cloud';
  if (name === 'uplink back' || name === 'downlink') return 'downlink';
  return name === 'round trip' ? 'round-trip' : name === 'queue' ? 'queue' : name === 'uplink' ? 'uplink' : 'device';
}
