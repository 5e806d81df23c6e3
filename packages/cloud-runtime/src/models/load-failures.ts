// Releases that could not be loaded -> how long they are not tried again, and why.
import type { Clock, KerfError } from '@kerf/protocol';
import type { Release } from './catalog.ts';

interface Failure {
  readonly release: Release;
  readonly error: KerfError;
  readonly untilMs: number;
  readonly count: number;
}

/** A model that could not be loaded is not tried again for this long, doubled each time: every try is a process. */
const PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 5 * 60_000;
const MAX_KEPT = 1000;

/** Keyed by the state of a release's files: another state is tried at once. */
export class LoadFailures {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(key: string, release: Release, error: KerfError): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    if (this.#failures.size >= MAX_KEPT) this.#failures.clear();
    const pauseMs = Math.min(PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS);
    this.#failures.set(key, { release, error, untilMs: this.#clock.nowMs() + pauseMs, count });
  }

  /** @throws {KerfError} why it failed, while its pause lasts. */
  check(key: string): void {
    const failure = this.#failures.get(key);
    if (failure !== undefined && failure.untilMs > this.#clock.nowMs()) throw failure.error;
  }

  /** Why a release is not served, as far as a try to load it has shown. */
  of({ model, version }: Release): KerfError | null {
    for (const { release, error } of this.#failures.values()) {
      if (release.model === model && release.version === version) return error;
    }
    return null;
  }

  /** @param version null: all of the model's. */
  forget(model: string, version: string | null): void {
    for (const [key, { release }] of this.#failures) {
      if (release.model === model && (version === null || release.version === version)) this.#failures.delete(key);
    }
  }
}
