// Something that a user sets going -> whether it is under way, and what went wrong.
import { type FaultView, faultView } from '@kerf/bridge';
import { KerfError, messageOf } from '@kerf/protocol';
import { useCallback, useState } from 'react';

export interface Action {
  readonly isBusy: boolean;
  readonly fault: FaultView | null;
  /** Resolves to whether it went well; a second one while the first is under way is left out. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<FaultView | null>(null);
  const run = useCallback(
    async (work: () => Promise<unknown>): Promise<boolean> => {
      if (isBusy) return false;
      setBusy(true);
      setFault(null);
      try {
        await work();
        return true;
      } catch (error) {
        setFault(faultOf(error));
        return false;
      } finally {
        setBusy(false);
      }
    },
    [isBusy],
  );
  return { isBusy, fault, run };
}

export function faultOf(error: unknown): FaultView {
  return faultView(KerfError.from(error, 'INTERNAL', messageOf(error)));
}
