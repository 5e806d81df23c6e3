// A rate and a kind of arrivals -> requests sent when they are due, whether earlier ones have been answered or not.
import { seededRandom } from '@kerf/protocol';

export interface OpenLoopOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** `poisson`: gaps are exponential; `uniform`: all the same. */
  /** Results before are not counted into the rate: the first batches are still forming. @default 0 */
  readonly skipSeconds?: number;
  readonly arrivals: 'poisson' | 'uniform';
  readonly seed: number;
  /** Sends request `index`. @returns whether it was answered with a result. */
  readonly send: (index: number) => Promise<boolean>;
}

export interface OpenLoopResult {
  readonly sent: number;
  readonly answered: number;
  /** Results a second, counted up to the last arrival. */
  readonly perSecond: number;
  /** Milliseconds from when each request was due, of those that were answered; sorted. */
  readonly latenciesMs: readonly number[];
}

/** Latency counts from when a request was due, so that a generator that falls behind hides nothing. */
export async function openLoop({
  perSecond,
  seconds,
  skipSeconds = 0,
  arrivals,
  seed,
  send,
}: OpenLoopOptions): Promise<OpenLoopResult> {
  const dueMs = schedule(perSecond, seconds, arrivals, seed);
  const latenciesMs: number[] = [];
  const pending: Promise<void>[] = [];
  let inTime = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  for (let next = 0; next < dueMs.length; ) {
    const waitMs = startMs + (dueMs[next] ?? 0) - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    while (next < dueMs.length && startMs + (dueMs[next] ?? 0) <= performance.now()) {
      const at = startMs + (dueMs[next] ?? 0);
      pending.push(
        send(next++).then((isResult) => {
          if (!isResult) return;
          const nowMs = performance.now();
          latenciesMs.push(nowMs - at);
          if (nowMs >= startMs + skipSeconds * 1000 && nowMs <= endMs) inTime++;
        }),
      );
    }
  }
  await Promise.all(pending);
  latenciesMs.sort((a, b) => a - b);
  return { sent: dueMs.length, answered: latenciesMs.length, perSecond: inTime / (seconds - skipSeconds), latenciesMs };
}

function schedule(perSecond: number, seconds: number, arrivals: 'poisson' | 'uniform', seed: number): number[] {
  const random = seededRandom(seed);
  const meanMs = 1000 / perSecond;
  const due: number[] = [];
  for (let at = 0; at < seconds * 1000; ) {
    due.push(at);
    at += arrivals === 'uniform' ? meanMs : -Math.log(1 - random()) * meanMs;
  }
  return due;
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
