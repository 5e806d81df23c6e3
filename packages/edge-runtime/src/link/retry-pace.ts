// How attempts to reach the cloud ended -> how long to wait before the next one.
import type { Random } from '@kerf/protocol';
import { type BackOffOptions, backOffMs } from './back-off.ts';

/** An attempt that nobody hears costs nobody anything; so often, on average every second, is soon enough for a line. */
const UNHEARD_CEILING_MS = 2000;
/** Who answers and refuses is asked, on average, each time it has refused a tenth longer. */
const SHARE_OF_REFUSAL = 0.2;
/** A connection that held this long was healthy: the next failure is the first of a new row. */
const HEALTHY_MS = 10_000;

export interface AttemptEnd {
  /** No peer answered, so that this attempt was no load to anybody; or waiting for one took long enough by itself. */
  readonly isUnheard: boolean;
  /** What the cloud asked for. */
  readonly retryAfterMs: number | null;
  /** The pause grows no further; `backoffMaxMs` when left out. */
  readonly maxMs?: number;
}

/**
 * Exponential with full jitter, under a ceiling that depends on who pays for an attempt. A dead network is tried all the
 * time, since the first moment of its return counts. A cloud that is there and refuses is spared more the longer it does so; its
 * refusals are counted from the first one, whatever came before, so that a fleet that comes back at once spreads itself.
 */
export class RetryPace {
  readonly #options: BackOffOptions;
  readonly #random: Random;
  #failures = 0;
  #sinceMs: number | null = null;
  #wasHeard = true;
  #openedMs: number | null = null;
  #hasAnswered = false;

  constructor(options: BackOffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  opened(nowMs: number): void {
    this.#openedMs = nowMs;
  }

  /** The connection has brought an answer: whatever ends it now is not the cloud that refuses. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /** A connection or an attempt at one ended. @returns milliseconds to the next attempt. */
  next({ isUnheard, retryAfterMs, maxMs = this.#options.backoffMaxMs }: AttemptEnd, nowMs: number): number {
    const wasHealthy = this.#hasAnswered || (this.#openedMs !== null && nowMs - this.#openedMs >= HEALTHY_MS);
    this.#openedMs = null;
    this.#hasAnswered = false;
    if (wasHealthy || (!isUnheard && !this.#wasHeard)) this.#restart(nowMs);
    this.#sinceMs ??= nowMs;
    this.#wasHeard = !isUnheard;
    const ceilingMs = isUnheard
      ? UNHEARD_CEILING_MS
      : Math.max(UNHEARD_CEILING_MS, (nowMs - this.#sinceMs) * SHARE_OF_REFUSAL);
    const bounds = { backoffBaseMs: this.#options.backoffBaseMs, backoffMaxMs: Math.min(maxMs, ceilingMs) };
    return backOffMs(this.#failures++, bounds, this.#random, retryAfterMs);
  }

  #restart(nowMs: number): void {
    this.#failures = 0;
    this.#sinceMs = nowMs;
  }
}
