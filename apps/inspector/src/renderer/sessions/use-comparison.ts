// Two sessions -> their pairs, page by page.
import type { Comparison, FaultView } from '@kerf/bridge';
import { useCallback, useEffect, useState } from 'react';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

const PAGE = 200;

export interface Compared {
  readonly value: Comparison | null;
  readonly fault: FaultView | null;
  readonly more: (() => void) | null;
}

/** @param turn asks again when it changes: a session may have been closed */
export function useComparison(left: string | null, right: string | null, turn: string): Compared {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const [state, setState] = useState<{ value: Comparison | null; fault: FaultView | null }>({
    value: null,
    fault: null,
  });
  useEffect(() => setState({ value: null, fault: null }), [left, right]);
  useEffect(() => {
    if (!isConnected || left === null || right === null) return;
    let isCurrent = true;
    bridge.call('sessions.compare', { left, right, offset: 0, limit: PAGE }).then(
      (value) => isCurrent && setState({ value, fault: null }),
      (error: unknown) => isCurrent && setState({ value: null, fault: faultOf(error) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, isConnected, left, right, turn]);
  const offset = state.value?.pairs.length ?? 0;
  const more = useCallback(() => {
    if (left === null || right === null) return;
    bridge.call('sessions.compare', { left, right, offset, limit: PAGE }).then(
      (next) =>
        setState((known) => {
          // Somebody has chosen another session meanwhile, or this page is here already.
          if (known.value === null || known.value.pairs.length !== offset) return known;
          return { ...known, value: { ...next, pairs: [...known.value.pairs, ...next.pairs] } };
        }),
      (error: unknown) => setState((known) => ({ ...known, fault: faultOf(error) })),
    );
  }, [bridge, left, right, offset]);
  return { ...state, more: state.value?.hasMore === true ? more : null };
}
