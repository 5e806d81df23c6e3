// Pages of kept parts, new ones as they come, and labels as they are given.
import type { FaultView, SampleView } from '@kerf/bridge';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';

export const SHOWN = ['unlabelled', 'labelled', 'all'] as const;
export type Shown = (typeof SHOWN)[number];

const PAGE = 100;

export interface Samples {
  readonly samples: readonly SampleView[];
  /** False until the first answer. */
  readonly isLoaded: boolean;
  readonly fault: FaultView | null;
  /** Asks for older ones; null where there are none. */
  readonly more: (() => void) | null;
  /** Puts a changed one in its place. A part that was just labelled stays where it was, whatever is shown. */
  readonly replace: (sample: SampleView) => void;
}

export function useSamples(show: Shown, kept: number): Samples {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const [state, setState] = useState({ samples: [] as readonly SampleView[], hasMore: false, isLoaded: false });
  const [fault, setFault] = useState<FaultView | null>(null);
  const turn = useRef(0);
  const ask = useCallback(
    (
      before: string | null,
      join: (known: readonly SampleView[], found: readonly SampleView[]) => readonly SampleView[],
    ) => {
      const mine = turn.current;
      bridge.call('samples.list', { before, limit: PAGE, show }).then(
        ({ samples, hasMore }) => {
          if (mine !== turn.current) return;
          setFault(null);
          setState((known) => ({
            samples: join(known.samples, samples),
            // News in front say nothing of what lies behind.
            hasMore: before === null && known.isLoaded ? known.hasMore : hasMore,
            isLoaded: true,
          }));
        },
        (error: unknown) => mine === turn.current && setFault(faultOf(error)),
      );
    },
    [bridge, show],
  );
  useEffect(() => {
    turn.current++;
    setState({ samples: [], hasMore: false, isLoaded: false });
    if (isConnected) ask(null, (_, found) => found);
  }, [ask, isConnected]);
  useEffect(() => {
    if (isConnected) ask(null, inFront);
  }, [ask, isConnected, kept]);
  const last = state.samples.at(-1)?.id ?? null;
  const more = useCallback(() => ask(last, (known, found) => [...known, ...found]), [ask, last]);
  return {
    ...state,
    fault,
    more: state.hasMore ? more : null,
    replace: (sample) =>
      setState((known) => ({ ...known, samples: known.samples.map((one) => (one.id === sample.id ? sample : one)) })),
  };
}

/** New ones in front; those that are known stay as they are. */
export function inFront(known: readonly SampleView[], found: readonly SampleView[]): readonly SampleView[] {
  const ids = new Set(known.map(({ id }) => id));
  return [...found.filter(({ id }) => !ids.has(id)), ...known];
}

/** The next one without a label behind `index`, else before it; null where all have one. */
export function nextUnlabelled(samples: readonly SampleView[], index: number): number | null {
  const behind = samples.findIndex(({ label }, at) => at > index && label === null);
  if (behind >= 0) return behind;
  const before = samples.findIndex(({ label }, at) => at !== index && label === null);
  return before >= 0 ? before : null;
}
