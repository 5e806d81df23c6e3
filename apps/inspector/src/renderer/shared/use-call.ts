// A call of the bridge -> what a screen shows of it: pending, a value or a fault.
import type { CallName, CallParams, CallResults } from '@kerf/bridge';
import { messageOf } from '@kerf/protocol';
import { useCallback, useEffect, useState } from 'react';
import { useInspector, useStore } from './store.ts';

export interface Asked<T> {
  readonly value: T | null;
  /** A sentence for the user; null where all went well. */
  readonly fault: string | null;
  readonly again: () => void;
}

/** Asks when the screen opens, when the parameters change, and when the station comes back. */
export function useCall<N extends CallName>(name: N, params: CallParams<N>): Asked<CallResults[N]> {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const [state, setState] = useState<{ value: CallResults[N] | null; fault: string | null }>({
    value: null,
    fault: null,
  });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(params);
  useEffect(() => {
    if (!isConnected) return;
    let isCurrent = true;
    bridge.call(name, JSON.parse(key) as CallParams<N>).then(
      (value) => isCurrent && setState({ value, fault: null }),
      (error: unknown) => isCurrent && setState((before) => ({ ...before, fault: messageOf(error) })),
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, isConnected, name, key, turn]);
  return { ...state, again: useCallback(() => setTurn((value) => value + 1), []) };
}
