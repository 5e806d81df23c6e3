// When jobs began and ended -> how long a row takes, and when a frame that comes now would be answered.
import type { Clock } from '@kerf/protocol';

/** Weight of the newest job. */
const NEWEST = 0.2;

export interface WorkAhead {
  /** Rows that run now. */
  readonly running: number;
  /** Rows that wait and would run first. */
  readonly waiting: number;
  /** The frame's own. */
  readonly own: number;
  /** Workers that share the work. */
  readonly workers: number;
}

/** From the gateway's side: crossing to the worker, decoding and waiting for a core are in it. */
export class ServiceTime {
  readonly #clock: Clock;
  #rowMs: number | null = null;
  #runMs: number | null = null;
  #lastEndMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds of the last runs; null before the first. */
  get runMs(): number | null {
    return this.#runMs;
  }

  /** A job has ended. One that waited behind another counts from that one's end. */
  ended(startedAtMs: number, rows: number, workers: number): void {
    const nowMs = this.#clock.nowMs();
    const fromMs = workers > 1 ? startedAtMs : Math.max(startedAtMs, this.#lastEndMs);
    this.#lastEndMs = nowMs;
    const ms = Math.max(0, nowMs - fromMs);
    this.#runMs = blend(this.#runMs, ms);
    this.#rowMs = blend(this.#rowMs, ms / Math.max(1, rows));
  }

  /** Milliseconds until the frame's answer; null while nothing has been measured. */
  answerMs({ running, waiting, own, workers }: WorkAhead): number | null {
    if (this.#rowMs === null) return null;
    // Of what runs now, half is over on average.
    return ((running / 2 + waiting) / Math.max(1, workers) + own) * this.#rowMs;
  }
}

function blend(before: number | null, now: number): number {
  return before === null ? now : before + NEWEST * (now - before);
}
