// Entry of the worker thread that holds models for Node.
import { parentPort, workerData } from 'node:worker_threads';
import { endWhenAsked } from '@kerf/protocol/node';
import { serveBackend } from '../worker/serve-backend.ts';
import { makeBackend, type NodeBackendSpec } from './make-backend.ts';

if (parentPort === null) throw new Error('backend-worker runs in a worker thread');
const port = parentPort;
endWhenAsked(port);
serveBackend(
  {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    onMessage: (listener) => port.on('message', listener),
  },
  makeBackend(workerData as NodeBackendSpec),
);
