// A `kerf` that another one starts for itself -> one that does not outlive it, however that one ends.
import process from 'node:process';

/** Set where the channel to the parent is there for this alone: process managers open one as well. */
const MARK = 'KERF_ENDS_WITH_PARENT';

/** For the child's environment; its `stdio` needs an `ipc` channel. */
export const BOUND_TO_PARENT: Readonly<Record<string, string>> = { [MARK]: '1' };

/** In the child: ends as by SIGTERM once the parent is gone. */
export function endWithParent(): void {
  const isBound = process.env[MARK] === '1';
  delete process.env[MARK];
  if (!isBound) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The listener alone must not keep a command from ending.
  process.channel?.unref();
}
