// A thread that may be inside a native library -> its end between two calls.
import process from 'node:process';
import type { MessagePort, Worker } from 'node:worker_threads';
import { systemClock } from '../clock.ts';

const END = 'kerf-end';
/** For the call that a thread is in. */
const PATIENCE_MS = 10_000;

/** In the thread, before anything else listens: it ends when {@link endThread} asks it to. Other listeners never see that message. */
export function endWhenAsked(port: MessagePort): void {
  port.on('message', (message: unknown) => {
    if (message === END) process.exit();
  });
}

/**
 * Ends a thread that called {@link endWhenAsked}. `terminate()` in the middle of a native call takes away the JavaScript that the
 * library gives its result to, and ONNX Runtime's binding then ends the whole process.
 *
 * Resolves when the thread has ended, or after ten seconds: it then ends by itself behind a call that takes longer.
 */
export async function endThread(worker: Worker): Promise<void> {
  // It has ended already, and says so once only.
  if (worker.threadId === -1) return;
  worker.ref();
  worker.postMessage(END);
  await new Promise<void>((resolve) => {
    const inTime = systemClock.after(PATIENCE_MS, resolve);
    worker.once('exit', () => {
      inTime();
      resolve();
    });
  });
  worker.unref();
}
