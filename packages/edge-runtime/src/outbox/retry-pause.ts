// A disk that fails -> a wait before it is tried again, which whoever has reason to can end.
import type { Clock } from '@kerf/protocol';

export class RetryPause {
  #end: (() => void) | null = null;

  /** Resolves after `delayMs`, or when it is ended. */
  wait(clock: Clock, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      this.#end = () => {
        cancel();
        this.#end = null;
        resolve();
      };
    });
  }

  end(): void {
    this.#end?.();
  }
}
