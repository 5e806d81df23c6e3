// The old and the new release on the same frames -> keep the new one, go back, or wait for more. Pure.
import type { JsonRecord } from '../checked-json.ts';
import { type GateCause, gateReason } from './gate-cause.ts';

/** What a release made of a frame. `NO_READ` and `ERROR` are no answer. */
export interface ShadowAnswer {
  readonly verdict: 'PASS' | 'REVIEW' | 'NG' | 'NO_READ' | 'ERROR';
  readonly latencyMs: number;
}

/** What may change from one release to the next. Shares are of frames, from 0 to 1. */
export interface HealthPolicy {
  /** Frames before the new release can be kept. @default 200 */
  readonly minFrames: number;
  /** Frames after which it goes back when it is still not clear. @default 5000 */
  readonly maxFrames: number;
  /** More frames without an answer than the old one had. @default 0.01 */
  readonly maxErrorShare: number;
  /** Times the 95th percentile of the old one's latency, beyond chance. @default 1.5 */
  readonly maxLatencyRatio: number;
  /** A slower one that is still below this is fast enough. @default 20 ms */
  readonly latencyFloorMs: number;
  /** Change of the share of NG, up or down, beyond chance. @default 0.05 */
  readonly maxNgShift: number;
  /** Change of the share of REVIEW, up or down, beyond chance. @default 0.1 */
  readonly maxReviewShift: number;
  /** Of the frames that were NG, those that are PASS now, beyond chance: where NG is rare, its share says little. @default 0.2 */
  readonly maxEscapeShare: number;
}

export const DEFAULT_HEALTH_POLICY: HealthPolicy = {
  minFrames: 200,
  maxFrames: 5000,
  maxErrorShare: 0.01,
  maxLatencyRatio: 1.5,
  latencyFloorMs: 20,
  maxNgShift: 0.05,
  maxReviewShift: 0.1,
  maxEscapeShare: 0.2,
};

export interface HealthVerdict {
  readonly decision: 'keep' | 'rollBack' | 'wait';
  /** For people; empty while it waits for more frames. */
  readonly reason: string;
  /** Null while it waits for more frames. */
  readonly cause: GateCause | null;
  readonly figures: JsonRecord;
}

/** Latencies that are kept for percentiles, of the last frames. */
const LATENCIES = 2048;
/** Share of frames that are above a 95th percentile. */
const ABOVE_P95 = 0.05;
/** Standard errors: once in 15,000 by chance. */
const SIGMAS = 4;

/** Frames that both releases saw. Memory: two rings of 16 KiB. */
export class HealthGate {
  readonly #policy: HealthPolicy;
  #frames = 0;
  readonly #errors = { old: 0, fresh: 0 };
  /** Frames with this verdict from one release and not from the other: what a paired test looks at. */
  readonly #gained = { NG: 0, REVIEW: 0 };
  readonly #lost = { NG: 0, REVIEW: 0 };
  readonly #ng = { all: 0, escaped: 0 };
  readonly #latencies = { old: new Float64Array(LATENCIES), fresh: new Float64Array(LATENCIES) };

  constructor(policy: Partial<HealthPolicy> = {}) {
    this.#policy = { ...DEFAULT_HEALTH_POLICY, ...policy };
  }

  add(old: ShadowAnswer, fresh: ShadowAnswer): void {
    const at = this.#frames++ % LATENCIES;
    this.#latencies.old[at] = old.latencyMs;
    this.#latencies.fresh[at] = fresh.latencyMs;
    if (isError(old)) this.#errors.old++;
    if (isError(fresh)) this.#errors.fresh++;
    if (old.verdict === 'NG') {
      this.#ng.all++;
      if (fresh.verdict === 'PASS') this.#ng.escaped++;
    }
    for (const verdict of ['NG', 'REVIEW'] as const) {
      if (fresh.verdict === verdict && old.verdict !== verdict) this.#gained[verdict]++;
      if (fresh.verdict !== verdict && old.verdict === verdict) this.#lost[verdict]++;
    }
  }

  judge(): HealthVerdict {
    const policy = this.#policy;
    const frames = this.#frames;
    const errorShare = frames === 0 ? 0 : (this.#errors.fresh - this.#errors.old) / frames;
    const p95Ms = { old: this.#percentile('old'), fresh: this.#percentile('fresh') };
    const shifts = { NG: this.#shift('NG'), REVIEW: this.#shift('REVIEW') };
    const { all, escaped } = this.#ng;
    const escapeShare = all === 0 ? 0 : escaped / all;
    const figures = {
      frames,
      errorShare,
      p95Ms,
      escapeShare,
      ngShift: shifts.NG.share,
      reviewShift: shifts.REVIEW.share,
    };
    const decided = (decision: 'keep' | 'rollBack', cause: GateCause): HealthVerdict => ({
      decision,
      reason: gateReason(cause),
      cause,
      figures,
    });
    const back = (cause: GateCause): HealthVerdict => decided('rollBack', cause);
    const wait: HealthVerdict = { decision: 'wait', reason: '', cause: null, figures };

    // Errors need no patience: as many as the least number of frames would allow are enough.
    if (this.#errors.fresh - this.#errors.old > policy.maxErrorShare * Math.max(frames, policy.minFrames)) {
      return back({
        kind: 'gate-answers',
        missing: this.#errors.fresh,
        frames,
        missingBefore: this.#errors.old,
      });
    }
    if (frames < policy.minFrames) return wait;
    for (const [verdict, most] of [
      ['NG', policy.maxNgShift],
      ['REVIEW', policy.maxReviewShift],
    ] as const) {
      const { share, error } = shifts[verdict];
      if (Math.abs(share) - SIGMAS * error > most) {
        return back({ kind: 'gate-moved', verdict, share, allowedShare: most });
      }
    }
    // A share of few frames is uncertain: as if one more had escaped and one had not.
    const doubt = SIGMAS * Math.sqrt(((escaped + 1) * (all - escaped + 1)) / (all + 2) ** 3);
    if ((escaped + 1) / (all + 2) - doubt > policy.maxEscapeShare) {
      return back({ kind: 'gate-escaped', escaped, ng: all });
    }
    const latencyLimitMs = Math.max(policy.latencyFloorMs, policy.maxLatencyRatio * p95Ms.old);
    const seemsSlower = p95Ms.fresh > latencyLimitMs;
    if (seemsSlower && (this.#isSlowerThan(latencyLimitMs) || frames >= policy.maxFrames)) {
      return back({ kind: 'gate-slower', p95Ms: p95Ms.fresh, beforeMs: p95Ms.old });
    }
    if (seemsSlower) return wait;
    const unclear = (['NG', 'REVIEW'] as const).find(
      (verdict) => Math.abs(shifts[verdict].share) > (verdict === 'NG' ? policy.maxNgShift : policy.maxReviewShift),
    );
    if (unclear === undefined) return decided('keep', { kind: 'gate-healthy', frames });
    if (frames < policy.maxFrames) return wait;
    return back({ kind: 'gate-unclear', verdict: unclear, share: shifts[unclear].share, frames });
  }

  /** Difference of paired shares, and its standard error. */
  #shift(verdict: 'NG' | 'REVIEW'): { readonly share: number; readonly error: number } {
    const [gained, lost, frames] = [this.#gained[verdict], this.#lost[verdict], this.#frames];
    if (frames === 0) return { share: 0, error: 0 };
    const share = (gained - lost) / frames;
    return { share, error: Math.sqrt(Math.max(0, (gained + lost) / frames - share * share) / frames) };
  }

  /** More of the frames are slower than those that a 95th percentile leaves, beyond chance: of few frames, one hiccup is not. */
  #isSlowerThan(limitMs: number): boolean {
    const known = this.#known('fresh');
    const slower = known.filter((ms) => ms > limitMs).length / known.length;
    return slower - SIGMAS * Math.sqrt((ABOVE_P95 * (1 - ABOVE_P95)) / known.length) > ABOVE_P95;
  }

  #percentile(of: 'old' | 'fresh'): number {
    const sorted = this.#known(of).sort();
    return sorted.length === 0
      ? 0
      : (sorted[Math.min(sorted.length - 1, Math.floor((1 - ABOVE_P95) * sorted.length))] as number);
  }

  /** A copy of the latencies that are kept. */
  #known(of: 'old' | 'fresh'): Float64Array {
    return this.#latencies[of].slice(0, Math.min(this.#frames, LATENCIES));
  }
}

function isError({ verdict }: ShadowAnswer): boolean {
  return verdict === 'ERROR' || verdict === 'NO_READ';
}
