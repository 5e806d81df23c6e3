// Ctrl-C -> an aborted signal that long work looks at between two steps, so that it ends with nothing half written.
import process from 'node:process';
import { KerfError } from '@kerf/protocol';

/**
 * Runs `use` with a signal that SIGINT and SIGTERM abort.
 * @throws {KerfError} what `use` throws; it calls {@link checkInterrupted} where it can stop.
 */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await use(controller.signal);
  } finally {
    // Whoever was interrupted ends with a line: a second Ctrl-C must not cut it off.
    if (!controller.signal.aborted) process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Lets signals come in first: runs of a model block the thread. @throws {KerfError} CANCELLED. */
export async function checkInterrupted(signal: AbortSignal, what: string): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  if (signal.aborted) throw new KerfError('CANCELLED', `${what} was interrupted; nothing was written`);
}
