// A thread of Node's -> a worker as those who ask it see it.
import type { Worker } from 'node:worker_threads';
import { endThread } from '@kerf/protocol/node';
import type { WorkerHandle } from '../worker/worker-backend.ts';

/** Each message that is posted is answered by one; the thread ends when asked (`endWhenAsked`). */
export function handleOf(worker: Worker): WorkerHandle {
  // The worker alone does not keep the process alive; a request that waits for it does.
  worker.unref();
  let waiting = 0;
  return {
    post(message, transfer) {
      if (++waiting === 1) worker.ref();
      worker.postMessage(message, [...transfer]);
    },
    onMessage(listener) {
      worker.on('message', (message) => {
        if (--waiting === 0) worker.unref();
        listener(message);
      });
      worker.unref();
    },
    onFailure(listener) {
      worker.once('error', (error) => listener(error.message));
      worker.once('exit', (code) => listener(`exit code ${code}`));
    },
    terminate: () => endThread(worker),
  };
}
