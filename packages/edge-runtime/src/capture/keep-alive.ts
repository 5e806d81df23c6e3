// A device that may vanish -> a source that comes back, later and later, for as long as it is wanted.
import { type Clock, KerfError, messageOf, type Random, whyOfError } from '@kerf/protocol';
import type { SourceCause } from '../cause/station-cause.ts';
import { backOffMs } from '../link/back-off.ts';
import { CAPTURE_BOUNDS } from './options.ts';
import type { SourceState } from './source.ts';

export interface KeepAliveOptions {
  /**
   * Runs the device once. Calls `up` when it delivers; resolves at its regular end; throws when it is lost. Must return
   * soon after the signal.
   */
  attempt(signal: AbortSignal, up: () => void): Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  onState(state: SourceState): void;
  onRecovery(): void;
}

/** Resolves at the regular end ('ended'), or when the signal says so ('stopped'); each is told to `onState` first. */
export async function keepAlive(options: KeepAliveOptions): Promise<void> {
  const { clock, random, signal } = options;
  const onState = (state: SourceState): void => options.onState(state);
  let failures = 0;
  onState({ kind: 'starting' });
  while (!signal.aborted) {
    let isUp = false;
    const up = (): void => {
      if (isUp || signal.aborted) return;
      isUp = true;
      if (failures > 0) options.onRecovery();
      failures = 0;
      onState({ kind: 'running' });
    };
    try {
      await options.attempt(signal, up);
      onState({ kind: signal.aborted ? 'stopped' : 'ended' });
      return;
    } catch (error) {
      if (signal.aborted) break;
      const lost = KerfError.from(error, 'SOURCE_LOST', messageOf(error));
      const bounds = { backoffBaseMs: CAPTURE_BOUNDS.retryBaseMs, backoffMaxMs: CAPTURE_BOUNDS.retryMaxMs };
      const retryInMs = Math.ceil(backOffMs(failures++, bounds, random, null));
      const cause = whyOfError<SourceCause>(lost);
      const why = { code: lost.code, message: lost.message, ...(cause === undefined ? {} : { cause }) };
      onState({ kind: 'lost', ...why, retryInMs });
      await sleep(clock, retryInMs, signal);
    }
  }
  onState({ kind: 'stopped' });
}

/** Resolves after `delayMs`, or at once when the signal aborts. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
