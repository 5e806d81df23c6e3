// The name of a runtime -> its backend, in the thread that asks.
import { type Backend, KerfError, messageOf, ortBackend } from '@kerf/protocol';

export interface NodeBackendSpec {
  readonly runtime: 'onnxruntime-node' | 'onnxruntime-web';
  /** First one only: ONNX Runtime for Node does not fall back, and a caller should know what runs. @default cpu or wasm */
  readonly executionProvider?: string;
}

/** @throws {KerfError} BACKEND_UNAVAILABLE when the runtime is not installed or not for this platform. */
export async function makeBackend({ runtime, executionProvider }: NodeBackendSpec): Promise<Backend> {
  const provider = executionProvider ?? (runtime === 'onnxruntime-node' ? 'cpu' : 'wasm');
  const name = `${runtime}/${provider}`;
  try {
    if (runtime === 'onnxruntime-node') {
      return guarded(ortBackend({ name, ort: await import('onnxruntime-node'), executionProviders: [provider] }));
    }
    const ort = await import('onnxruntime-web');
    // More threads in Node gain nothing measurable and hold the process open.
    ort.env.wasm.numThreads = 1;
    return ortBackend({ name, ort, executionProviders: [provider] });
  } catch (cause) {
    throw new KerfError('BACKEND_UNAVAILABLE', `${runtime} cannot be loaded: ${messageOf(cause)}`, { cause });
  }
}

/** Only what is loaded by its path may have weights beside it. */
function guarded(backend: Backend): Backend {
  return {
    name: backend.name,
    load: async (source, options) => {
      if (!('path' in source)) return backend.load(source, options);
      const { watchingWeights } = await import('./mapped-weights.ts');
      return watchingWeights(source.path, () => backend.load(source, options));
    },
    dispose: () => backend.dispose(),
  };
}
