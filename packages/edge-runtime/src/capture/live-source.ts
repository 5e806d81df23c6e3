// A device that gives pictures as it likes, and may vanish -> a source that opens it again, for as long as it is wanted.
import type { KerfError } from '@kerf/protocol';
import { sourceLost } from '../cause/station-cause.ts';
import { CaptureDesk } from './capture-desk.ts';
import { keepAlive } from './keep-alive.ts';
import type { SourceSetup } from './options.ts';
import type { Source } from './source.ts';

export interface LiveDevice {
  /** Before the first attempt; what it throws, `start` throws. */
  prepare?(): Promise<void>;
  /**
   * Runs the device once: offers its pictures to the desk and calls `up` at each. Resolves when the signal says so; throws
   * when the device is lost.
   */
  attempt(desk: CaptureDesk, signal: AbortSignal, up: () => void): Promise<void>;
}

/**
 * The device is opened again with increasing delays whenever it is lost.
 * @param simulated its pictures are no parts of now
 */
export function liveSource(setup: SourceSetup, device: LiveDevice, simulated = false): Source {
  const desk = new CaptureDesk(setup, simulated);
  const ended = new AbortController();
  let run: Promise<void> | null = null;
  return {
    name: setup.name,
    counters: desk.counters,
    trigger: (request) => desk.trigger(request),
    start: async (handler) => {
      desk.open(handler);
      await device.prepare?.();
      run = keepAlive({
        attempt: (signal, up) => {
          desk.repeatsInRow = 0;
          return device.attempt(desk, signal, up);
        },
        clock: setup.clock,
        random: setup.random,
        signal: ended.signal,
        onState: (state) => desk.state(state),
        onRecovery: () => desk.counters.recoveries++,
      });
    },
    stop: async () => {
      ended.abort();
      desk.close();
      await run;
    },
  };
}

/** Why a camera counts as lost although pictures come; null while it does not. @param frozen equal pictures in a row; null: never */
export function frozenFault({ repeatsInRow }: CaptureDesk, frozen: number | null): KerfError | null {
  if (frozen === null || repeatsInRow < frozen) return null;
  return sourceLost({ kind: 'source-frozen', pictures: repeatsInRow });
}
