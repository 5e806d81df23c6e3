// A capture's result -> the answer to whoever waits for it, or the word that it will come later.
import type { Clock } from '@kerf/protocol';
import type { ResultRecord } from '../../station/result-record.ts';
import type { HttpAnswer } from './http-door.ts';

export interface AwaitedResult {
  readonly onResult: (record: ResultRecord) => void;
  /** 200 with the record, or 202. Resolves early when whoever asked has gone. */
  answer(): Promise<HttpAnswer>;
}

/** @param onLate called when the result comes and nobody waits any more. */
export function awaitResult(
  options: {
    readonly clock: Clock;
    readonly withinMs: number;
    readonly signal: AbortSignal;
    readonly key: string | null;
  },
  onLate: () => void,
): AwaitedResult {
  const { clock, withinMs, signal, key } = options;
  let settle: ((record: ResultRecord | null) => void) | null = null;
  const settled = new Promise<ResultRecord | null>((resolve) => {
    settle = resolve;
  });
  const end = (record: ResultRecord | null): void => {
    if (settle === null) {
      if (record !== null) onLate();
      return;
    }
    cancel();
    signal.removeEventListener('abort', onGone);
    settle(record);
    settle = null;
  };
  const onGone = (): void => end(null);
  const cancel = clock.after(withinMs, onGone);
  signal.addEventListener('abort', onGone, { once: true });
  return {
    onResult: (record) => end(record),
    answer: async () => {
      const record = await settled;
      if (record !== null) return { status: 200, body: record };
      return { status: 202, body: { accepted: true, key, message: 'the result goes to the sinks' } };
    },
  };
}
