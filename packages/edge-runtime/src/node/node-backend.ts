// A runtime for Node -> a backend in a worker thread, since a run blocks the thread that asks for it.
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { type Backend, startedFile } from '@kerf/protocol';
import { workerBackend } from '../worker/worker-backend.ts';
import { makeBackend, type NodeBackendSpec } from './make-backend.ts';
import { handleOf } from './worker-handle.ts';

export interface NodeBackendOptions extends NodeBackendSpec {
  /** Runs in the calling thread: for scripts without a socket to serve. @default false */
  readonly inThisThread?: boolean;
}

/**
 * A backend over onnxruntime-node or onnxruntime-web (WASM). ONNX Runtime's telemetry is switched off for the process,
 * unless `ORT_DISABLE_TELEMETRY` is set to something else: it reports to its maker and leaves files behind.
 * @throws {KerfError} BACKEND_UNAVAILABLE; from a worker, at the first `load`.
 */
export function nodeBackend({ inThisThread = false, ...spec }: NodeBackendOptions): Promise<Backend> {
  // Before the library is loaded, and here: a thread's environment is a copy.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  if (inThisThread) return makeBackend(spec);
  const worker = new Worker(startedFile('backend-worker', import.meta.url), { workerData: spec, execArgv: [] });
  const provider = spec.executionProvider ?? (spec.runtime === 'onnxruntime-node' ? 'cpu' : 'wasm');
  return Promise.resolve(workerBackend(`${spec.runtime}/${provider} (worker)`, handleOf(worker)));
}
