// The clock as one process sees it: when the process is killed, nothing that it waited for happens any more.
import type { Clock } from '@kerf/protocol';

export class ProcessClock implements Clock {
  readonly #clock: Clock;
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#clock.after(delayMs, () => {
      if (!this.#isDead) task();
    });
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(durationMs, resolve));
  }

  kill(): void {
    this.#isDead = true;
  }
}
