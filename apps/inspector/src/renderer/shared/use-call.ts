// A call of the bridge -> what a screen shows of it: pending, a value or a fault.
import type { CallName, CallParams, CallResults, FaultView } from '@kerf/bridge';
import { useCallback, useEffect, useState } from 'react';
import { useInspector, useStore } from './store.ts';
import { faultOf } from './use-action.ts';

export interface Asked<T> {
  readonly value: T | null;
  /** Null where all went well. */
  readonly fault: FaultView | null;
  /** No answer yet. */
  readonly isPending: boolean;
  readonly again: () => void;
}

/**
 * Asks when the screen opens, when the parameters change, and when the station comes back.
 * @param moment asks once more when it changes; what was answered before stays meanwhile
 */
export function useCall<N extends CallName>(name: N, params: CallParams<N>, moment = 0): Asked<CallResults[N]> {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const [state, setState] = useState<Pick<Asked<CallResults[N]>, 'value' | 'fault' | 'isPending'>>({
    value: null,
    fault: null,
    isPending: true,
  });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(params);
  useEffect(() => {
    if (!isConnected) return;
    let isCurrent = true;
    bridge.call(name, JSON.parse(key) as CallParams<N>).then(
      (value) => isCurrent && setState({ value, fault: null, isPending: false }),
      (error: unknown) => isCurrent && setState((before) => ({ ...before, fault: faultOf(error), isPending: false })),
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, isConnected, name, key, turn, moment]);
  return {
    ...state,
    again: useCallback(() => setTurn((value) => value + 1), []),
  };
}
