// Entry of the module worker that holds models in a browser. Bundle it as a worker, and hand it to `browserBackend`.
import { type BrowserBackendSpec, makeBrowserBackend } from './browser/make-backend.ts';
import { serveBackend } from './worker/serve-backend.ts';

/** The part of a worker's global scope that is used; the DOM's types describe a page. */
interface WorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void, options?: { once: boolean }): void;
}

const scope = globalThis as unknown as WorkerScope;
// The first message says which backend; requests follow.
scope.addEventListener(
  'message',
  (event) =>
    serveBackend(
      {
        post: (message, transfer) => scope.postMessage(message, [...transfer]),
        onMessage: (listener) => scope.addEventListener('message', (request) => listener(request.data)),
      },
      makeBrowserBackend(event.data as BrowserBackendSpec),
    ),
  { once: true },
);
