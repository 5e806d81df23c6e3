// A look at something that changes by itself -> taken again and again, each some time after the last one has ended.
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';

/**
 * @param onFault told what a look throws, once, when the next one throws the same: what is being replaced is wrong for a moment.
 * @returns how to end it.
 */
export function lookAgain(
  clock: Clock,
  everyMs: number,
  look: () => void | Promise<void>,
  onFault: (reason: string) => void,
): () => void {
  let isEnded = false;
  let seen = { reason: '', looks: 0 };
  let cancel = (): void => {};
  const once = async (): Promise<void> => {
    try {
      await look();
      seen = { reason: '', looks: 0 };
    } catch (error) {
      const reason = messageOf(error);
      seen = { reason, looks: seen.reason === reason ? seen.looks + 1 : 1 };
      if (seen.looks === 2 && !isEnded) onFault(reason);
    }
    if (!isEnded) later();
  };
  const later = (): void => {
    cancel = clock.after(everyMs, () => void once());
  };
  later();
  return () => {
    isEnded = true;
    cancel();
  };
}
