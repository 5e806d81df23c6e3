// What routes would take, what happened, and what was decided before -> where the next frame goes, and why. Pure.
import { type ControlMemory, nextHold, type TrialUnderWay } from './control-memory.ts';
import type { PlacementOptions } from './options.ts';
import { reasons, type SwitchReason } from './reasons.ts';
import type { RouteView } from './route-view.ts';
import { isRemote } from './routes.ts';
import { type Circumstances, Weighing } from './weighing.ts';

export interface ControlView extends Circumstances {
  readonly nowMs: number;
  readonly routes: readonly RouteView[];
  /** Whether any session is connected. */
  readonly isCloudThere: boolean;
  /** The device can finish any frame that the cloud does not answer in time. */
  readonly canFinishHere: boolean;
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
    readonly reason: SwitchReason;
  } | null;
  /** Time from the sending that the cloud has, before the device should begin to finish the frame; null: what the deadline allows. */
  readonly patienceMs: number | null;
  readonly memory: ControlMemory;
}

/** So many frames' worth of trials may be saved up. */
const MOST_CREDIT_FRAMES = 3;
/** Least time between trials of a route, as a share of the age at which an estimate is worth nothing. */
const TRIAL_PAUSE = 0.2;

/** Where the next frame goes. */
export function decide(memory: ControlMemory, view: ControlView, options: PlacementOptions): Decision {
  return new Deciding(memory, view, options).decide();
}

class Deciding {
  readonly #memory: ControlMemory;
  readonly #view: ControlView;
  readonly #options: PlacementOptions;
  readonly #weighing: Weighing;
  readonly #allowed: readonly RouteView[];
  readonly #current: RouteView | null;

  constructor(memory: ControlMemory, view: ControlView, options: PlacementOptions) {
    this.#memory = memory;
    this.#view = view;
    this.#options = options;
    this.#weighing = new Weighing(view, options);
    this.#allowed = view.routes.filter(({ route, isBroken }) => route.refusal === null && !isBroken);
    this.#current = this.#allowed.find(({ route }) => route.name === memory.route) ?? null;
  }

  decide(): Decision {
    const { pin } = this.#view;
    const current = this.#current;
    if (pin !== null) return this.#pinned(pin);
    if (current === null) {
      const best = this.#weighing.best(this.#allowed) ?? this.#allowed[0];
      if (best === undefined) return this.#stay({});
      return this.#switch(best, 'refused', reasons.refused(this.#view.routes, this.#memory.route));
    }
    return this.#escape(current) ?? this.#improve(current);
  }

  #pinned(name: string): Decision {
    const wanted = this.#view.routes.find(({ route }) => route.name === name);
    if (wanted === undefined || name === this.#memory.route) return this.#stay({});
    if (!wanted.isReady && isRemote(wanted)) return this.#stay({ wanted: name });
    return this.#switch(wanted, 'pinned', { code: 'pinned' });
  }

  /** Away from a cloud that does not answer, at once. Null: no need. */
  #escape(current: RouteView): Decision | null {
    if (!isRemote(current)) return null;
    const { deadlineMs } = this.#view;
    const isCloudThere = this.#view.isCloudThere && current.isReady;
    const missed = this.#missed();
    const isLate = current.price !== null && this.#weighing.worstMs(current) > deadlineMs;
    if (isCloudThere && !missed && !isLate) return null;
    const safe = this.#allowed.filter(
      (view) => view !== current && (!isRemote(view) || (this.#view.isCloudThere && !missed && view.isReady)),
    );
    const inTime = safe.filter((view) => this.#weighing.isInTime(view));
    const target =
      this.#otherThere(safe, inTime, isCloudThere) ?? (isCloudThere && !missed ? null : this.#refuge(safe));
    if (target === null) return missed ? this.#stay({ memory: { ...this.#memory, misses: 0 } }) : null;
    const cause = isCloudThere ? 'deadline' : 'link-lost';
    const reason = isCloudThere
      ? reasons.deadline(target, missed ? this.#memory.misses : 0, this.#weighing.worstMs(current), deadlineMs)
      : reasons.linkLost(target);
    const decision = this.#switch(target, cause, reason);
    const hold = nextHold(this.#memory.hold, this.#view.nowMs, this.#options);
    return isRemote(target) ? decision : { ...decision, memory: { ...decision.memory, hold } };
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
    return this.#weighing.best(inTime.filter(({ route }) => route.kind !== 'small')) ?? unknown.at(-1) ?? null;
  }

  /** The whole chain here, else the small model, whichever is known to be in time first. */
  #refuge(safe: readonly RouteView[]): RouteView | null {
    const here = safe.filter((view) => !isRemote(view));
    const inTime = here.filter((view) => view.price === null || this.#weighing.isInTime(view));
    return inTime.find(({ route }) => route.kind === 'edge') ?? inTime[0] ?? here[0] ?? null;
  }

  /** To a faster route when it is faster by more than chance; or a trial of one that may be. */
  #improve(current: RouteView): Decision {
    const isHeld = this.#isHeld();
    const rivals = this.#allowed.filter(
      (view) => view !== current && view.route.kind !== 'small' && !(isRemote(view) && !this.#view.isCloudThere),
    );
    const open = isHeld ? rivals.filter((view) => !isRemote(view)) : rivals;
    const best = this.#weighing.best(open);
    if (best !== null && this.#weighing.gains(current, best)) {
      if (!best.isReady) return this.#stay({ wanted: best.route.name });
      if (this.#view.nowMs - this.#memory.sinceMs >= this.#options.dwellMs) {
        return this.#switch(best, 'gain', reasons.gain(current, best, this.#weighing));
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
    const { hold, trial } = this.#memory;
    if (hold === null || trial !== null || !this.#isHeld() || this.#view.nowMs < hold.untilMs) return null;
    // Who has heard nothing since need not try.
    if (this.#view.lastHeardMs <= hold.sinceMs) return null;
    const best = this.#weighing.best(rivals.filter(isRemote));
    if (best === null || !this.#weighing.gains(current, best)) return null;
    if (!best.isReady) return this.#stay({ wanted: best.route.name });
    return this.#isSafe(best) ? this.#try(best, { chargedMs: 0, insteadMs: null }) : null;
  }

  /** A rival that was never measured, or long ago, and may be the faster one: one frame, from the time saved for it. */
  #trial(current: RouteView, open: readonly RouteView[]): Decision | null {
    const { trial, trialCreditMs } = this.#memory;
    const { price: now } = current;
    if (trial !== null || now === null) return null;
    const { ms } = now;
    const unsure = open.filter(({ price, route }) => {
      if (price === null) return isRemote({ route });
      return price.ageMs > this.#options.trialAgeMs * TRIAL_PAUSE && this.#weighing.mayBeFaster(now, price);
    });
    const costMs = (view: RouteView): number => (view.price === null ? ms : Math.max(0, view.price.ms - ms));
    const affordable = unsure.filter((view) => costMs(view) <= trialCreditMs && this.#isSafe(view));
    const next = affordable.sort((left, right) => costMs(left) - costMs(right))[0];
    if (next === undefined) return null;
    if (!next.isReady) return this.#stay({ wanted: next.route.name });
    return this.#try(next, { chargedMs: costMs(next), insteadMs: ms });
  }

  /** Whether a frame would be answered in time there, or can be finished here where not. */
  #isSafe(view: RouteView): boolean {
    return view.price === null ? this.#view.canFinishHere : this.#weighing.isInTime(view);
  }

  #switch(target: RouteView, cause: SwitchCause, reason: SwitchReason): Decision {
    const { nowMs } = this.#view;
    const from = this.#memory.route;
    const to = target.route.name;
    const memory = { ...this.#memory, route: to, sinceMs: nowMs, misses: 0 };
    const patienceMs = this.#weighing.patienceMs(target);
    return { route: to, isTrial: false, wanted: null, patienceMs, switched: { from, to, cause, reason }, memory };
  }

  #try(view: RouteView, trial: TrialUnderWay): Decision {
    const trialCreditMs = this.#memory.trialCreditMs - trial.chargedMs;
    const memory = { ...this.#credited(), trial, trialCreditMs };
    // What is not known is not waited for beyond the time saved up.
    const beyondMs = trial.insteadMs === null ? undefined : Math.max(0, trialCreditMs);
    const unknownMs = trial.insteadMs === null ? null : trial.insteadMs + (beyondMs ?? 0);
    const patienceMs = this.#weighing.patienceMs(view, beyondMs) ?? (isRemote(view) ? unknownMs : null);
    return { route: view.route.name, isTrial: true, wanted: null, patienceMs, switched: null, memory };
  }

  #stay({ wanted = null, memory }: { wanted?: string | null; memory?: ControlMemory }): Decision {
    const kept = memory ?? this.#credited();
    const patienceMs = this.#current === null ? null : this.#weighing.patienceMs(this.#current);
    return { route: this.#memory.route, isTrial: false, wanted, patienceMs, switched: null, memory: kept };
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
