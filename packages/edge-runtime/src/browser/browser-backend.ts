// What a browser can do -> a backend in a module worker: WebGPU where it proves itself, else WASM, and why.
import { type Backend, type Clock, type ErrorCode, KerfError, systemClock, type Tolerance } from '@kerf/protocol';
import { type WorkerHandle, workerBackend } from '../worker/worker-backend.ts';
import type { BrowserBackendSpec } from './make-backend.ts';
import { DEFAULT_TOLERANCE, type Probe, selfTest } from './self-test.ts';

export interface BrowserBackendOptions {
  /** Makes a module worker of '@kerf/edge-runtime/browser-worker'; docs/edge-runtime.md shows how for each bundler. */
  readonly createWorker: () => Worker;
  /** @default 'webgpu' */
  readonly prefer?: 'webgpu' | 'wasm';
  /** URL of the folder that serves ONNX Runtime's files, relative to the page. Left out: where ONNX Runtime looks. */
  readonly wasmFolder?: string;
  /** WASM threads; more than 1 needs cross-origin isolation and the .mjs files in `wasmFolder`. @default 1 */
  readonly threads?: number;
  /** The session's own model on a sample: WebGPU must agree with WASM on it before it is chosen. */
  readonly probe?: Probe;
  readonly tolerance?: Tolerance;
  /** For everything that WebGPU must do before it is chosen. @default 60,000 */
  readonly selfTestTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface BrowserBackend {
  readonly backend: Backend;
  readonly provider: 'webgpu' | 'wasm';
  /** Why WebGPU was not chosen although it was preferred; null when it was, or when it was not asked for. */
  readonly refusal: { readonly code: ErrorCode; readonly message: string } | null;
}

/**
 * Chooses a backend. WebGPU has to give right numbers on known models, and WASM's numbers on the probe.
 * @throws {KerfError} INVALID_ARGUMENT; WASM that cannot start says so at the first `load`.
 */
export async function browserBackend(options: BrowserBackendOptions): Promise<BrowserBackend> {
  const { prefer = 'webgpu', threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1)
    throw new KerfError('INVALID_ARGUMENT', `threads must be 1 or more, not ${threads}`);
  const wasm = startWorker(options, 'wasm');
  if (prefer === 'wasm') return { backend: wasm, provider: 'wasm', refusal: null };
  const missing = await whyNoAdapter();
  if (missing !== null)
    return { backend: wasm, provider: 'wasm', refusal: { code: 'BACKEND_UNAVAILABLE', message: missing } };
  const webgpu = startWorker(options, 'webgpu');
  const failure = await withinTime(
    options,
    selfTest(webgpu, probeOf(options, wasm), options.tolerance ?? DEFAULT_TOLERANCE),
  );
  const [chosen, other] = failure === null ? [webgpu, wasm] : [wasm, webgpu];
  await other.dispose();
  return {
    backend: chosen,
    provider: failure === null ? 'webgpu' : 'wasm',
    refusal: failure === null ? null : { code: failure.code, message: failure.message },
  };
}

function probeOf({ probe }: BrowserBackendOptions, reference: Backend): Parameters<typeof selfTest>[1] {
  return probe === undefined ? null : { probe, reference };
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

async function whyNoAdapter(): Promise<string | null> {
  const { gpu } = navigator as Navigator & { readonly gpu?: Gpu };
  if (gpu === undefined) return 'the browser has no WebGPU, or the page is not in a secure context';
  try {
    return (await gpu.requestAdapter()) === null ? 'WebGPU has no adapter on this device' : null;
  } catch (error) {
    return `WebGPU refuses to give an adapter: ${String(error)}`;
  }
}

/** The result of the test, or a failure when it takes too long: a driver may hang. */
function withinTime(options: BrowserBackendOptions, test: Promise<KerfError | null>): Promise<KerfError | null> {
  const { clock = systemClock, selfTestTimeoutMs = 60_000 } = options;
  return new Promise((resolve) => {
    const cancel = clock.after(selfTestTimeoutMs, () =>
      resolve(new KerfError('SELF_TEST_FAILED', `WebGPU did not finish its self-test within ${selfTestTimeoutMs} ms`)),
    );
    void test.then((failure) => {
      cancel();
      resolve(failure);
    });
  });
}

function startWorker(
  { createWorker, wasmFolder, threads = 1 }: BrowserBackendOptions,
  provider: 'webgpu' | 'wasm',
): Backend {
  const worker = createWorker();
  const folder = wasmFolder === undefined ? null : new URL(wasmFolder.replace(/\/?$/, '/'), location.href).href;
  worker.postMessage({ provider, wasmFolder: folder, threads } satisfies BrowserBackendSpec);
  return workerBackend(`onnxruntime-web/${provider} (worker)`, handleOf(worker));
}

function handleOf(worker: Worker): WorkerHandle {
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    onMessage: (listener) => worker.addEventListener('message', (event) => listener(event.data)),
    onFailure: (listener) =>
      worker.addEventListener('error', (event) =>
        listener(event.message === '' ? 'its script cannot be loaded' : event.message),
      ),
    terminate: () => Promise.resolve(worker.terminate()),
  };
}
