// A time limit on another process -> a call when it is over, unless this one stood still itself meanwhile.
import type { Clock } from '@kerf/protocol';

/** A timer that is this late was not held up by work: the process, or all of the machine, was stopped. */
const STOOD_STILL_MS = 500;

/**
 * Calls `task` after `timeoutMs`. Who wakes up after a pause has not read yet what the other one said in time, and the other one
 * may have been paused too: it gets all of the time again.
 * @returns how to call it off
 */
export function afterAwake(clock: Clock, timeoutMs: number, task: () => void): () => void {
  let cancel = (): void => {};
  const wait = (): void => {
    const dueMs = clock.nowMs() + timeoutMs;
    cancel = clock.after(timeoutMs, () => (clock.nowMs() - dueMs > STOOD_STILL_MS ? wait() : task()));
  };
  wait();
  return () => cancel();
}
