// A link of which little is known -> a probe of it, one at a time, when the pilot wants one.
import type { Clock } from '@kerf/protocol';
import type { Pilot } from './pilot.ts';
import type { RouteSessions } from './route-sessions.ts';

export class LinkProber {
  readonly #pilot: Pilot;
  readonly #sessions: RouteSessions;
  readonly #clock: Clock;
  #isProbing = false;

  constructor(pilot: Pilot, sessions: RouteSessions, clock: Clock) {
    this.#pilot = pilot;
    this.#sessions = sessions;
    this.#clock = clock;
  }

  async probe(): Promise<void> {
    const session = this.#sessions.connected;
    if (session === null || this.#isProbing) return;
    const size = this.#pilot.probeDue(this.#clock.nowMs());
    if (size === null) return;
    this.#isProbing = true;
    const free = this.#pilot.occupy(this.#clock.nowMs());
    try {
      const elapsedMs = await session.probe(size.upBytes, size.downBytes);
      if (elapsedMs !== null) this.#pilot.onProbe(size, elapsedMs, this.#clock.nowMs());
    } finally {
      free(this.#clock.nowMs());
      this.#isProbing = false;
    }
  }
}
