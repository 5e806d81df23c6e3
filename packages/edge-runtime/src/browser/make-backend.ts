// The name of a provider -> its backend, in the browser thread that asks.
import { type Backend, KerfError, messageOf, ortBackend } from '@kerf/protocol';

export interface BrowserBackendSpec {
  readonly provider: 'webgpu' | 'wasm';
  /** URL of the folder that serves ONNX Runtime's files; null leaves finding them to ONNX Runtime. */
  readonly wasmFolder: string | null;
  readonly threads: number;
}

/** The WebAssembly file that each build of onnxruntime-web asks for. */
export const WASM_FILES = {
  webgpu: 'ort-wasm-simd-threaded.asyncify.wasm',
  wasm: 'ort-wasm-simd-threaded.wasm',
} as const;

/**
 * In the thread that asks, which a run blocks: for code that is in a worker already.
 * @throws {KerfError} BACKEND_UNAVAILABLE.
 */
export async function makeBrowserBackend({ provider, wasmFolder, threads }: BrowserBackendSpec): Promise<Backend> {
  try {
    // The default bundle would do for both, but its old WebGPU provider dequantises uint8 wrongly without a word.
    const ort = provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
    ort.env.wasm.numThreads = threads;
    if (wasmFolder !== null) {
      // With one thread the glue code inside the bundle serves; more threads load it again, as a file of its own.
      ort.env.wasm.wasmPaths = threads > 1 ? wasmFolder : { wasm: new URL(WASM_FILES[provider], wasmFolder).href };
    }
    return ortBackend({ name: `onnxruntime-web/${provider}`, ort, executionProviders: [provider] });
  } catch (cause) {
    throw new KerfError('BACKEND_UNAVAILABLE', `onnxruntime-web cannot be loaded: ${messageOf(cause)}`, { cause });
  }
}
