// What routes would take, what happened, and what was decided before -> where the next frame goes, and why. Pure.
import type { PlacementOptions } from './options.ts';
import { differenceError, type Price, SEGMENT, staleMs } from './price.ts';
import { reasons } from './reasons.ts';
import type { RouteView } from './route-view.ts';

/** A route as it stands now. */
export interface ControlView {
  readonly nowMs: number;
  readonly routes: readonly RouteView[];
  /** Whether any session is connected. */
  readonly isCloudThere: boolean;
  /** Between frames; null where nobody knows. */
  readonly arrivalMs: number | null;
  readonly deadlineMs: number;
  /** The device can finish any frame that the cloud does not answer in time. */
  readonly canFinishHere: boolean;
  /** Frames that are under way to the cloud. */
  readonly framesUnderWay: number;
  /** When anything last came from the cloud. */
  readonly lastHeardMs: number;
  /** A person's choice; null leaves it to the controller. */
  readonly pin: string | null;
}

/** Why frames go elsewhere. */
export type SwitchCause =
  /** Another route is faster by more than chance. */
  | 'gain'
  /** The link is lost. */
  | 'link-lost'
  /** Frames were not answered in time, or will not be. */
  | 'deadline'
  /** The route may not be taken, or does not exist any more. */
  | 'refused'
  | 'pinned';

export interface Hold {
  /** When the cloud last failed a frame. */
  readonly sinceMs: number;
  /** Failures in a row, each of which doubled the time. */
  readonly failures: number;
  readonly untilMs: number;
  /** Trials that succeeded since. */
  readonly successes: number;
}

export interface ControlMemory {
  readonly route: string;
  readonly sinceMs: number;
  /** Frames went to the cloud and were failed; until trials have succeeded, they stay on the device. */
  readonly hold: Hold | null;
  /** Since when the cloud has failed no frame. */
  readonly healthySinceMs: number;
  /** Of the time that trials may add. */
  readonly trialCreditMs: number;
  /** Frames in a row that the route has failed. */
  readonly misses: number;
  readonly trialUnderWay: boolean;
}

export interface Decision {
  /** For this frame. */
  readonly route: string;
  /** The frame finds out what another route than that of the others takes now. */
  readonly isTrial: boolean;
  /** A route that should be made ready: it would be taken if it were. */
  readonly wanted: string | null;
  readonly switched: {
    readonly from: string;
    readonly to: string;
    readonly cause: SwitchCause;
    readonly reason: string;
  } | null;
  /** Time from the sending that the cloud has, before the device should begin to finish the frame; null: what the deadline allows. */
  readonly patienceMs: number | null;
  readonly memory: ControlMemory;
}

/** At the start. */
export function startMemory(route: string, nowMs: number): ControlMemory {
  return {
    route,
    sinceMs: nowMs,
    hold: null,
    healthySinceMs: nowMs,
    trialCreditMs: 0,
    misses: 0,
    trialUnderWay: false,
  };
}

/** So many frames' worth of trials may be saved up. */
const MOST_CREDIT_FRAMES = 3;
/** Beyond what an answer needs, at least: as a share of it, and in milliseconds. */
const LEAST_PATIENCE = 0.5;
const LEAST_PATIENCE_MS = 15;
/** Least time between trials of a route, as a share of the age at which an estimate is worth nothing. */
const TRIAL_PAUSE = 0.2;
/** Frames that a queue is looked ahead for, where frames come faster than a stage takes them. */
const QUEUE_FRAMES = 10;

/** Where the next frame goes. */
export function decide(memory: ControlMemory, view: ControlView, options: PlacementOptions): Decision {
  return new Deciding(memory, view, options).decide();
}

class Deciding {
  readonly #memory: ControlMemory;
  readonly #view: ControlView;
  readonly #options: PlacementOptions;
  readonly #allowed: readonly RouteView[];
  readonly #current: RouteView | null;

  constructor(memory: ControlMemory, view: ControlView, options: PlacementOptions) {
    this.#memory = memory;
    this.#view = view;
    this.#options = options;
    this.#allowed = view.routes.filter(({ route, isBroken }) => route.refusal === null && !isBroken);
    this.#current = this.#allowed.find(({ route }) => route.name === memory.route) ?? null;
  }

  decide(): Decision {
    const { pin } = this.#view;
    const current = this.#current;
    if (pin !== null) return this.#pinned(pin);
    if (current === null) {
      const best = this.#best(this.#allowed) ?? this.#allowed[0];
      if (best === undefined) return this.#stay({});
      return this.#switch(best, 'refused', reasons.refused(this.#view.routes, this.#memory.route));
    }
    return this.#escape(current) ?? this.#improve(current);
  }

  #pinned(name: string): Decision {
    const wanted = this.#view.routes.find(({ route }) => route.name === name);
    if (wanted === undefined || name === this.#memory.route) return this.#stay({});
    if (!wanted.isReady && isRemote(wanted)) return this.#stay({ wanted: name });
    return this.#switch(wanted, 'pinned', `a person has chosen ${name}`);
  }

  /** Away from a cloud that does not answer, at once. Null: no need. */
  #escape(current: RouteView): Decision | null {
    if (!isRemote(current)) return null;
    const { deadlineMs } = this.#view;
    const isCloudThere = this.#view.isCloudThere && current.isReady;
    const missed = this.#missed();
    const isLate = current.price !== null && this.#worstMs(current) > deadlineMs;
    if (isCloudThere && !missed && !isLate) return null;
    const safe = this.#allowed.filter(
      (view) => view !== current && (!isRemote(view) || (this.#view.isCloudThere && !missed && view.isReady)),
    );
    const inTime = safe.filter((view) => view.price !== null && this.#worstMs(view) <= deadlineMs);
    const target =
      this.#otherThere(safe, inTime, isCloudThere) ?? (isCloudThere && !missed ? null : this.#refuge(safe));
    if (target === null) return missed ? this.#stay({ memory: { ...this.#memory, misses: 0 } }) : null;
    const cause = isCloudThere ? 'deadline' : 'link-lost';
    const reason = isCloudThere
      ? reasons.deadline(current, target, missed ? this.#memory.misses : 0, this.#worstMs(current), deadlineMs)
      : reasons.linkLost(target);
    const decision = this.#switch(target, cause, reason);
    return isRemote(target) ? decision : { ...decision, memory: { ...decision.memory, hold: this.#nextHold() } };
  }

  /** One late answer happens; where the device cannot help, it is one too many. */
  #missed(): boolean {
    const { canFinishHere } = this.#view;
    return this.#memory.misses >= (canFinishHere ? this.#options.missesToLeave : 1);
  }

  /** The best that is in time; where the route of now has lost its link alone, any other that has one. */
  #otherThere(safe: readonly RouteView[], inTime: readonly RouteView[], isCloudThere: boolean): RouteView | null {
    if (this.#missed()) return null;
    const unknown = isCloudThere ? [] : safe.filter((view) => isRemote(view) && view.price === null);
    return this.#best(inTime.filter(({ route }) => route.kind !== 'small')) ?? unknown.at(-1) ?? null;
  }

  /** The whole chain here, else the small model, whichever is known to be in time first. */
  #refuge(safe: readonly RouteView[]): RouteView | null {
    const here = safe.filter((view) => !isRemote(view));
    const inTime = here.filter((view) => view.price === null || this.#worstMs(view) <= this.#view.deadlineMs);
    return inTime.find(({ route }) => route.kind === 'edge') ?? inTime[0] ?? here[0] ?? null;
  }

  #nextHold(): Hold {
    const { hold } = this.#memory;
    const { holdBaseMs, holdMaxMs } = this.#options;
    const failures = (hold?.failures ?? 0) + 1;
    const lastsMs = Math.min(holdMaxMs, holdBaseMs * 2 ** Math.min(failures - 1, 30));
    const { nowMs } = this.#view;
    return { sinceMs: nowMs, failures, untilMs: nowMs + lastsMs, successes: 0 };
  }

  /** To a faster route when it is faster by more than chance; or a trial of one that may be. */
  #improve(current: RouteView): Decision {
    const isHeld = this.#isHeld();
    const rivals = this.#allowed.filter(
      (view) => view !== current && view.route.kind !== 'small' && !(isRemote(view) && !this.#view.isCloudThere),
    );
    const open = isHeld ? rivals.filter((view) => !isRemote(view)) : rivals;
    const best = this.#best(open);
    if (best !== null && this.#gains(current, best)) {
      if (!best.isReady) return this.#stay({ wanted: best.route.name });
      if (this.#view.nowMs - this.#memory.sinceMs >= this.#options.dwellMs) {
        return this.#switch(best, 'gain', reasons.gain(current, best, this.#marginMs(current, best)));
      }
    }
    return this.#returnTrial(current, rivals) ?? this.#trial(current, open) ?? this.#stay({});
  }

  /** Frames stay away from the cloud: the time is not up, or trials have not succeeded yet. */
  #isHeld(): boolean {
    const { hold } = this.#memory;
    if (hold === null) return false;
    return this.#view.nowMs < hold.untilMs || hold.successes < this.#options.returnTrials;
  }

  /** After the hold single frames go first. */
  #returnTrial(current: RouteView, rivals: readonly RouteView[]): Decision | null {
    const { hold, trialUnderWay } = this.#memory;
    if (hold === null || trialUnderWay || !this.#isHeld() || this.#view.nowMs < hold.untilMs) return null;
    // Who has heard nothing since need not try.
    if (this.#view.lastHeardMs <= hold.sinceMs) return null;
    const best = this.#best(rivals.filter(isRemote));
    if (best === null || !this.#gains(current, best)) return null;
    if (!best.isReady) return this.#stay({ wanted: best.route.name });
    return this.#isSafe(best) ? this.#try(best, 0) : null;
  }

  /** A rival that was never measured, or long ago, and may be the faster one: one frame, from the time saved for it. */
  #trial(current: RouteView, open: readonly RouteView[]): Decision | null {
    const { trialUnderWay, trialCreditMs } = this.#memory;
    if (trialUnderWay || current.price === null) return null;
    const { ms } = current.price;
    const unsure = open.filter(({ price, route }) => {
      if (price === null) return isRemote({ route });
      const { trialAgeMs } = this.#options;
      const mayBeOffMs = Math.max(ownError(current.price, price), staleMs(price, trialAgeMs));
      return price.ageMs > trialAgeMs * TRIAL_PAUSE && this.#expectedMs(price) - mayBeOffMs < ms;
    });
    const costMs = (view: RouteView): number => (view.price === null ? ms : Math.max(0, view.price.ms - ms));
    const affordable = unsure.filter((view) => costMs(view) <= trialCreditMs && this.#isSafe(view));
    const next = affordable.sort((left, right) => costMs(left) - costMs(right))[0];
    if (next === undefined) return null;
    if (!next.isReady) return this.#stay({ wanted: next.route.name });
    return this.#try(next, costMs(next));
  }

  /** Whether a frame would be answered in time there, or can be finished here where not. */
  #isSafe(view: RouteView): boolean {
    const { canFinishHere, deadlineMs } = this.#view;
    if (view.price === null) return canFinishHere;
    return this.#worstMs(view) <= deadlineMs;
  }

  #best(views: readonly RouteView[]): RouteView | null {
    let best: RouteView | null = null;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const view of views) {
      if (view.price === null || this.#worstMs(view) > this.#view.deadlineMs) continue;
      const ms = this.#expectedMs(view.price);
      if (ms < leastMs) {
        leastMs = ms;
        best = view;
      }
    }
    return best;
  }

  /** With what a queue would add where frames come faster than a stage takes them. */
  #expectedMs({ ms, busiestMs }: Price): number {
    const { arrivalMs } = this.#view;
    return arrivalMs === null ? ms : ms + Math.max(0, busiestMs - arrivalMs) * QUEUE_FRAMES;
  }

  /** What nearly every frame stays below. */
  #worstMs({ price }: RouteView): number {
    if (price === null) return Number.POSITIVE_INFINITY;
    return price.ms + this.#options.deadlineDeviations * Math.hypot(price.spreadMs, price.errorMs);
  }

  #gains(current: RouteView, best: RouteView): boolean {
    // What the small model says is less than what the chain says, however fast it is.
    if (current.price === null || current.route.kind === 'small') return true;
    if (best.price === null) return false;
    return this.#expectedMs(current.price) - this.#expectedMs(best.price) > this.#marginMs(current, best);
  }

  #marginMs(current: RouteView, best: RouteView): number {
    if (current.price === null || best.price === null) return 0;
    const { minGainShare, gainDeviations } = this.#options;
    const chanceMs = gainDeviations * differenceError(current.price, best.price);
    return Math.max(minGainShare * this.#expectedMs(current.price), chanceMs);
  }

  #switch(target: RouteView, cause: SwitchCause, reason: string): Decision {
    const { nowMs } = this.#view;
    const from = this.#memory.route;
    const to = target.route.name;
    const memory = { ...this.#memory, route: to, sinceMs: nowMs, misses: 0 };
    const patienceMs = this.#patienceMs(target);
    return { route: to, isTrial: false, wanted: null, patienceMs, switched: { from, to, cause, reason }, memory };
  }

  #try(view: RouteView, costMs: number): Decision {
    const memory = {
      ...this.#credited(),
      trialUnderWay: true,
      trialCreditMs: Math.max(0, this.#memory.trialCreditMs - costMs),
    };
    const patienceMs = this.#patienceMs(view);
    return { route: view.route.name, isTrial: true, wanted: null, patienceMs, switched: null, memory };
  }

  #stay({ wanted = null, memory }: { wanted?: string | null; memory?: ControlMemory }): Decision {
    const kept = memory ?? this.#credited();
    const patienceMs = this.#current === null ? null : this.#patienceMs(this.#current);
    return { route: this.#memory.route, isTrial: false, wanted, patienceMs, switched: null, memory: kept };
  }

  /** What nearly every answer needs, and a bit: who waits longer waits for one that does not come. */
  #patienceMs({ price, route }: RouteView): number | null {
    const { hedgeDeviations } = this.#options;
    if (price === null || !price.isMeasured || !isRemote({ route }) || hedgeDeviations === 0) return null;
    const away = [...price.terms].filter(([name]) => !name.startsWith(SEGMENT)).map(([, term]) => term);
    const awayMs = away.reduce((sum, { ms }) => sum + ms, 0);
    const deviation = Math.hypot(...away.flatMap(({ spreadMs, errorMs }) => [spreadMs, errorMs]));
    // What is under way is carried first.
    const aheadMs = this.#view.framesUnderWay * (price.terms.get('uplink')?.ms ?? 0);
    return awayMs + aheadMs + Math.max(hedgeDeviations * deviation, LEAST_PATIENCE * awayMs, LEAST_PATIENCE_MS);
  }

  /** Each frame adds its share to what trials may cost; a long time without failures ends the hold. */
  #credited(): ControlMemory {
    const ms = this.#current?.price?.ms ?? 0;
    const { trialShare, healthyMs } = this.#options;
    const { hold, healthySinceMs, trialCreditMs } = this.#memory;
    const isHealthy = this.#view.nowMs - healthySinceMs >= healthyMs && !this.#isHeld();
    return {
      ...this.#memory,
      hold: isHealthy ? null : hold,
      trialCreditMs: Math.min(MOST_CREDIT_FRAMES * ms, trialCreditMs + trialShare * ms),
    };
  }
}

/** How a frame that went to the cloud ended. */
export function afterFrame(
  memory: ControlMemory,
  frame: { readonly route: string; readonly isTrial: boolean; readonly isAnswered: boolean },
  nowMs: number,
  options: PlacementOptions,
): ControlMemory {
  const settled = frame.isTrial ? { ...memory, trialUnderWay: false } : memory;
  if (frame.isAnswered) {
    if (!frame.isTrial || settled.hold === null) return frame.isTrial ? settled : { ...settled, misses: 0 };
    return { ...settled, hold: { ...settled.hold, successes: settled.hold.successes + 1 } };
  }
  const misses = frame.route === settled.route ? settled.misses + 1 : settled.misses;
  const failed = { ...settled, healthySinceMs: nowMs, misses };
  if (!frame.isTrial || settled.hold === null) return failed;
  const failures = settled.hold.failures + 1;
  const lastsMs = Math.min(options.holdMaxMs, options.holdBaseMs * 2 ** Math.min(failures - 1, 30));
  return { ...failed, hold: { sinceMs: nowMs, failures, untilMs: nowMs + lastsMs, successes: 0 } };
}

export function isRemote({ route }: Pick<RouteView, 'route'>): boolean {
  return route.kind === 'cloud' || route.kind === 'split';
}

/** What the rival's own terms may be off by: those that a trial would tell. */
function ownError(current: Price | null, rival: Price): number {
  return current === null ? rival.errorMs : differenceError(current, rival);
}
