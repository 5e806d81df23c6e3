// Prices, a deadline and how often frames come -> which route is best, by how much, and how long its answers are waited for. Pure.
import type { PlacementOptions } from './options.ts';
import { differenceError, type Price, SEGMENT, staleMs } from './price.ts';
import type { RouteView } from './route-view.ts';
import { isRemote } from './routes.ts';

/** Beyond what an answer needs, at least: as a share of it, and in milliseconds. */
const LEAST_PATIENCE = 0.5;
const LEAST_PATIENCE_MS = 15;
/** Frames that a queue is looked ahead for, where frames come faster than a stage takes them. */
const QUEUE_FRAMES = 10;

export interface Circumstances {
  /** Between frames; null where nobody knows. */
  readonly arrivalMs: number | null;
  readonly deadlineMs: number;
  /** Frames that are under way to the cloud. */
  readonly framesUnderWay: number;
}

export class Weighing {
  readonly #view: Circumstances;
  readonly #options: PlacementOptions;

  constructor(view: Circumstances, options: PlacementOptions) {
    this.#view = view;
    this.#options = options;
  }

  /** The fastest that nearly always keeps the deadline; null when none is known to. */
  best(views: readonly RouteView[]): RouteView | null {
    let best: RouteView | null = null;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const view of views) {
      if (view.price === null || !this.isInTime(view)) continue;
      const ms = this.expectedMs(view.price);
      if (ms < leastMs) {
        leastMs = ms;
        best = view;
      }
    }
    return best;
  }

  /** With what a queue would add where frames come faster than a stage takes them. */
  expectedMs(price: Price): number {
    return price.ms + this.waitingMs(price);
  }

  /** Where frames come faster than a stage takes them, they wait for each other. */
  waitingMs({ busiestMs }: Price): number {
    const { arrivalMs } = this.#view;
    return arrivalMs === null ? 0 : Math.max(0, busiestMs - arrivalMs) * QUEUE_FRAMES;
  }

  /** What nearly every frame stays below; infinite where nothing is known. */
  worstMs({ price }: RouteView): number {
    if (price === null) return Number.POSITIVE_INFINITY;
    return price.ms + this.#options.deadlineDeviations * Math.hypot(price.spreadMs, price.errorMs);
  }

  isInTime(view: RouteView): boolean {
    return this.worstMs(view) <= this.#view.deadlineMs;
  }

  gains(current: RouteView, best: RouteView): boolean {
    // What the small model says is less than what the chain says, however fast it is.
    if (current.price === null || current.route.kind === 'small') return true;
    if (best.price === null) return false;
    return this.expectedMs(current.price) - this.expectedMs(best.price) > this.marginMs(current, best);
  }

  /** What a gain must be more than. */
  marginMs(current: RouteView, best: RouteView): number {
    if (current.price === null || best.price === null) return 0;
    const { minGainShare, gainDeviations } = this.#options;
    const chanceMs = gainDeviations * differenceError(current.price, best.price);
    return Math.max(minGainShare * this.expectedMs(current.price), chanceMs);
  }

  /** Whether a rival may be the faster one, by what nobody measured of it and what may have changed since. */
  mayBeFaster(current: Price, rival: Price): boolean {
    const mayBeOffMs = Math.max(differenceError(current, rival), staleMs(rival, this.#options.trialAgeMs));
    return this.expectedMs(rival) - mayBeOffMs < current.ms;
  }

  /**
   * What nearly every answer needs, and a bit: who waits longer waits for one that does not come. Null where nothing is waited for,
   * or nothing is known. @param beyondMs what an answer may take beyond what is expected, at most.
   */
  patienceMs({ price, route }: RouteView, beyondMs = Number.POSITIVE_INFINITY): number | null {
    const { hedgeDeviations } = this.#options;
    if (price === null || !isRemote({ route }) || hedgeDeviations === 0) return null;
    const away = [...price.terms].filter(([name]) => !name.startsWith(SEGMENT)).map(([, term]) => term);
    const awayMs = away.reduce((sum, { ms }) => sum + ms, 0);
    const deviation = Math.hypot(...away.flatMap(({ spreadMs, errorMs }) => [spreadMs, errorMs]));
    // What is under way is carried first.
    const aheadMs = this.#view.framesUnderWay * (price.terms.get('uplink')?.ms ?? 0);
    const usualMs = Math.max(hedgeDeviations * deviation, LEAST_PATIENCE * awayMs);
    return awayMs + aheadMs + Math.max(LEAST_PATIENCE_MS, Math.min(usualMs, beyondMs));
  }
}
