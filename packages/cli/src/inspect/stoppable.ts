// Work that somebody stands and waits for -> its end, or CANCELLED as soon as the one who asked stops it.
import { KerfError, untilAborted } from '@kerf/protocol';

export class Stoppable {
  private readonly running = new Set<{ readonly caller: string; readonly abort: AbortController }>();

  /**
   * The signal is for the work, which may take a while to hear it; the caller is free at once.
   * @throws {KerfError} CANCELLED once it is stopped; what `work` throws.
   */
  async run<T>(caller: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const one = { caller, abort: new AbortController() };
    this.running.add(one);
    try {
      return await untilAborted(work(one.abort.signal), one.abort.signal);
    } finally {
      this.running.delete(one);
    }
  }

  /** Ends what this caller has begun, and nobody else's. */
  stop(caller: string): void {
    for (const one of this.running) {
      if (one.caller === caller) one.abort.abort(new KerfError('CANCELLED', 'the one who asked for it has stopped it'));
    }
  }
}
