// Time that a test moves by hand.
import type { Clock } from '@kerf/protocol';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Lets everything that is ready now happen: promises, and the memory link's deliveries. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
}

export class FakeClock implements Clock {
  private timeMs = 1000;
  private order = 0;
  private timers: Timer[] = [];

  nowMs(): number {
    return this.timeMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.timeMs + delayMs, order: this.order++, task };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  get pending(): number {
    return this.timers.length;
  }

  /** Moves on by `durationMs`, timer by timer, with everything that follows from each. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.timeMs + durationMs;
    await settle();
    for (;;) {
      const next = this.timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.timeMs = Math.max(this.timeMs, next.atMs);
      next.task();
      await settle();
    }
    this.timeMs = endMs;
  }
}
