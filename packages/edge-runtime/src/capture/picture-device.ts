// Something that gives pictures -> a device that is lost when they stop coming or stop changing.
import type { Clock, RgbImage } from '@kerf/protocol';
import { type SourceCause, sourceLost } from '../cause/station-cause.ts';
import { frozenFault, type LiveDevice } from './live-source.ts';

export interface PictureWatch {
  /** Without a picture for longer it is lost. */
  readonly stall: number;
  /** So many equal pictures in a row count as a lost camera; null: never. */
  readonly frozen: number | null;
  readonly clock: Clock;
}

/**
 * @param see runs until the signal, and throws SOURCE_LOST before; each picture is only made when somebody wants it, before
 * `onPicture` returns
 */
export function pictureDevice(
  { stall, frozen, clock }: PictureWatch,
  see: (signal: AbortSignal, onPicture: (make: () => RgbImage) => void) => Promise<void>,
): LiveDevice {
  return {
    attempt: async (desk, signal, up) => {
      const ending = new AbortController();
      const onStop = (): void => ending.abort();
      const lose = (why: SourceCause): void => ending.abort(sourceLost(why));
      signal.addEventListener('abort', onStop, { once: true });
      if (signal.aborted) onStop();
      let cancelStall = (): void => undefined;
      const alive = (): void => {
        cancelStall();
        cancelStall = clock.after(stall, () => lose({ kind: 'source-stalled', stallMs: stall }));
      };
      alive();
      try {
        await see(ending.signal, (make) => {
          alive();
          up();
          desk.offer(() => ({ what: { picture: { kind: 'pixels', image: make() } } }));
          const fault = frozenFault(desk, frozen);
          if (fault !== null) ending.abort(fault);
        });
        if (!signal.aborted) throw ending.signal.reason ?? sourceLost({ kind: 'source-ended' });
      } finally {
        cancelStall();
        signal.removeEventListener('abort', onStop);
      }
    },
  };
}
