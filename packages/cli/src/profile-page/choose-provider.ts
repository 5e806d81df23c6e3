// A job and its model -> the provider that the page measures: WebGPU only when it gives right numbers on this very model.
import { browserBackend } from '@kerf/edge-runtime/browser';
import type { ModelGraph } from '@kerf/onnx';
import { KerfError, type ModelSource, systemClock, type TensorMap } from '@kerf/protocol';
import { findInputs, mergeSpec } from '@kerf/splitter';
import type { AdapterInfo } from './device.ts';
import type { ChosenProvider, ProfileJob } from './job.ts';

/** The self-test loads the model twice; a software adapter or a tablet takes its time. */
const SELF_TEST_TIMEOUT_MS = 120_000;

export interface Gpu {
  requestAdapter(): Promise<{ readonly info?: AdapterInfo } | null>;
}

/** What the browser says of its GPU; null without one. */
export async function adapterInfo(): Promise<AdapterInfo | null> {
  const { gpu } = navigator as Navigator & { readonly gpu?: Gpu };
  const adapter = (await gpu?.requestAdapter().catch(() => null)) ?? null;
  return adapter === null ? null : (adapter.info ?? {});
}

/** Workers of their own test the providers: what they leave behind goes with them. */
const createWorker = (): Worker => new Worker(new URL('backend-worker.js', import.meta.url), { type: 'module' });

/**
 * The choice that a session in this browser would make.
 * @throws {KerfError} BACKEND_UNAVAILABLE, SELF_TEST_FAILED when the job insists on WebGPU; what WASM says of the model.
 */
export async function chooseProvider(
  job: ProfileJob,
  graph: ModelGraph,
  model: ModelSource,
  inputs: TensorMap,
): Promise<ChosenProvider> {
  if (job.provider === 'wasm') return { provider: 'wasm', refusal: null };
  const probe = (await adapterInfo()) === null ? null : await sampleProbe(job, graph, model, inputs);
  const { backend, provider, refusal } = await browserBackend({
    createWorker,
    wasmFolder: 'ort',
    selfTestTimeoutMs: SELF_TEST_TIMEOUT_MS,
    ...(probe === null ? {} : { probe }),
  });
  await backend.dispose();
  if (job.provider === 'webgpu' && refusal !== null) {
    throw new KerfError(refusal.code, `${refusal.message}; '--provider auto' measures WebAssembly instead`);
  }
  return { provider, refusal: refusal?.message ?? null };
}

/** Inputs that the whole model runs on, found with WASM. */
async function sampleProbe({ dims }: ProfileJob, graph: ModelGraph, model: ModelSource, inputs: TensorMap) {
  const { backend } = await browserBackend({ createWorker, wasmFolder: 'ort', prefer: 'wasm' });
  try {
    const whole = await backend.load(model);
    const specs = whole.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
    const sampler = await findInputs(whole, { specs, dims, inputs, clock: systemClock });
    return { model, sample: sampler.sample(0) };
  } finally {
    await backend.dispose();
  }
}
