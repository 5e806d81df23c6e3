// Parts as they are judged -> a number that changes with them, no more than once a second: for what is asked anew then.
import { useEffect, useState } from 'react';
import { useInspector } from './store.ts';

/** Faster than anybody reads a chart, and seldom enough for a station to answer beside its work. */
const CALM_MS = 1_000;

export function usePartsSeen(): number {
  const { bridge } = useInspector();
  const [seen, setSeen] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = bridge.subscribe('result', () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setSeen((before) => before + 1);
      }, CALM_MS);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [bridge]);
  return seen;
}
