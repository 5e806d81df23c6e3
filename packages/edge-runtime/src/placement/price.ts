// What is known of device, link and cloud -> what a frame takes on a route, term by term, with how sure each term is.
import type { Estimate } from './estimate.ts';
import type { LinkEstimates } from './link-estimator.ts';
import type { Route } from './routes.ts';

/** A summand of a frame's time, in milliseconds. */
export interface Term {
  readonly ms: number;
  /** Standard deviation from frame to frame. */
  readonly spreadMs: number;
  /** Standard deviation of what `ms` is wrong by. */
  readonly errorMs: number;
  /** Since it was measured; infinite for a guess. */
  readonly ageMs: number;
}

/** What a frame takes on a route. Terms of the same name in two prices are off by the same cause. */
export interface Price {
  readonly ms: number;
  readonly spreadMs: number;
  readonly errorMs: number;
  readonly terms: ReadonlyMap<string, Term>;
  /** The stage that a frame keeps busy longest: frames cannot come faster. */
  readonly busiestMs: number;
  /** False while the route's own part in the cloud, or on the device, is a guess. */
  readonly isMeasured: boolean;
  /** Since the route's own part was measured. */
  readonly ageMs: number;
}

/** What a price is made of; null where nobody knows. */
export interface PriceParts {
  /** What the device runs, by the name of the part. */
  readonly head: ReadonlyMap<string, Term>;
  readonly encode: Term;
  readonly uplinkBytes: number;
  readonly downlinkBytes: number;
  /** Decoding and run in the cloud, without waiting. */
  readonly cloud: Term | null;
  readonly queue: Term;
  readonly link: LinkEstimates;
  readonly isMeasured: boolean;
  readonly ageMs: number;
}

/** Null where a part is unknown. */
export function priceOf(route: Route, parts: PriceParts): Price | null {
  const terms = new Map(parts.head);
  const headMs = sum(parts.head.values());
  let uplinkMs = 0;
  if (route.kind === 'cloud' || route.kind === 'split') {
    const { upMsPerByte, downMsPerByte, roundTripMs } = parts.link;
    if (parts.cloud === null || upMsPerByte === null || roundTripMs === null) return null;
    const up = scaled(upMsPerByte, parts.uplinkBytes);
    uplinkMs = up.ms;
    terms.set(`encode ${route.name}`, parts.encode);
    terms.set('uplink', up);
    terms.set(
      downMsPerByte === null ? 'uplink back' : 'downlink',
      scaled(downMsPerByte ?? upMsPerByte, parts.downlinkBytes),
    );
    terms.set('round trip', scaled(roundTripMs, 1));
    terms.set('queue', parts.queue);
    terms.set(`cloud ${route.name}`, parts.cloud);
  }
  const all = [...terms.values()];
  return {
    ms: sum(all),
    spreadMs: Math.hypot(...all.map(({ spreadMs }) => spreadMs)),
    errorMs: Math.hypot(...all.map(({ errorMs }) => errorMs)),
    terms,
    busiestMs: Math.max(headMs + (uplinkMs > 0 ? parts.encode.ms : 0), uplinkMs),
    isMeasured: parts.isMeasured,
    ageMs: parts.ageMs,
  };
}

/** How sure the difference of two prices is: what both share is no doubt. */
export function differenceError(left: Price, right: Price): number {
  const names = new Set([...left.terms.keys(), ...right.terms.keys()]);
  return Math.hypot(
    ...[...names].map((name) => (left.terms.get(name)?.errorMs ?? 0) - (right.terms.get(name)?.errorMs ?? 0)),
  );
}

/** What may have gone since a price's terms were measured: half of a term that is `oldMs` old, later all; the device changes slowly. */
export function staleMs(price: Price, oldMs: number): number {
  let total = 0;
  for (const [name, { ms, ageMs }] of price.terms) {
    const factor = name.startsWith(SEGMENT) ? DEVICE_STEADINESS : 1;
    total += ms * Math.min(1, (STALE_SHARE * ageMs) / (oldMs * factor));
  }
  return total;
}

export function termOf({ value, spread, error, ageMs }: Estimate): Term {
  return { ms: value, spreadMs: spread, errorMs: error, ageMs };
}

/** What nobody measured: half of it either way. */
export function guessed(ms: number): Term {
  return { ms, spreadMs: ms * GUESS, errorMs: ms * GUESS, ageMs: Number.POSITIVE_INFINITY };
}

const GUESS = 0.5;

const STALE_SHARE = 0.5;
const DEVICE_STEADINESS = 10;

/** Terms of runs on the device have names that begin so. */
export const SEGMENT = 'segment ';

export const NOTHING: Term = { ms: 0, spreadMs: 0, errorMs: 0, ageMs: 0 };

function scaled({ value, spread, error, ageMs }: Estimate, by: number): Term {
  return { ms: value * by, spreadMs: spread * by, errorMs: error * by, ageMs };
}

function sum(terms: Iterable<Term>): number {
  let total = 0;
  for (const { ms } of terms) total += ms;
  return total;
}
