// What the button and the key `P` do: pause the line, or let it go on.
import type { FaultView, StationView } from '@kerf/bridge';
import { useCallback, useRef, useState } from 'react';
import { useInspector } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

export interface Pause {
  readonly fault: FaultView | null;
  readonly toggle: () => void;
}

export function usePause(): Pause {
  const { bridge, station } = useInspector();
  const [fault, setFault] = useState<FaultView | null>(null);
  /** The state that is to end. The station may say that it has before it answers, and then the next one counts. */
  const leaving = useRef<StationView['state'] | null>(null);
  const toggle = useCallback((): void => {
    const state = station.get()?.state ?? null;
    if (state === leaving.current && state !== null) return;
    leaving.current = state;
    setFault(null);
    bridge
      .call(state === 'paused' ? 'station.resume' : 'station.pause', {})
      .catch((error: unknown) => setFault(faultOf(error)))
      .finally(() => {
        if (leaving.current === state) leaving.current = null;
      });
  }, [bridge, station]);
  return { fault, toggle };
}
