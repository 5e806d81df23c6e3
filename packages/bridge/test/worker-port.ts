// A port of worker threads, as a desktop's processes have them -> the bridge's.
import type { MessagePort } from 'node:worker_threads';
import type { Port } from '../src/port-transport.ts';

export function portOf(port: MessagePort): Port {
  return {
    postMessage: (value) => port.postMessage(value),
    listen(onMessage, onClose) {
      port.on('message', onMessage);
      port.on('close', onClose);
    },
    close: () => port.close(),
  };
}
