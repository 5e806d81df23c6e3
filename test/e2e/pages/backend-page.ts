// The page of the browser tests: chooses a backend and runs models, and hands plain results to the test.
import { EdgeSession } from '@kerf/edge-runtime';
import { browserBackend, browserConnect, openSplitUrl } from '@kerf/edge-runtime/browser';
import { float32Tensor, type Tensor, typedView } from '@kerf/protocol';

const createWorker = (): Worker => new Worker('./worker.js', { type: 'module' });

const floats = (tensor: Tensor | undefined): number[] =>
  tensor === undefined ? [] : [...(typedView(tensor) as Float32Array)];

const ramp = (length: number): Tensor =>
  float32Tensor(
    [1, length],
    Float32Array.from({ length }, (_, index) => index - 2),
  );

async function bytesAt(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

const page = {
  /** Chooses a backend, with the head as probe, and runs the whole model on a ramp. */
  async run(options: { prefer: 'webgpu' | 'wasm'; threads?: number; wasmFolder?: string; selfTestTimeoutMs?: number }) {
    const probe = { model: { bytes: await bytesAt('split/head.onnx') }, sample: new Map([['x', ramp(8)]]) };
    const chosen = await browserBackend({ wasmFolder: 'ort', ...options, createWorker, probe });
    const model = await chosen.backend.load({ bytes: await bytesAt('split/whole.onnx') });
    const outputs = await model.run(new Map([['x', ramp(8)]]));
    const late = await model.run(new Map()).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    );
    await chosen.backend.dispose();
    return {
      name: chosen.backend.name,
      provider: chosen.provider,
      refusal: chosen.refusal,
      y: floats(outputs.get('y')),
      late,
      isolated: crossOriginIsolated,
    };
  },

  /** The model with its cut quantised by ordinary operators, on values of which many lie half way between two steps. */
  async quantised(prefer: 'webgpu' | 'wasm') {
    const { backend, provider } = await browserBackend({ prefer, wasmFolder: 'ort', createWorker });
    const model = await backend.load({ bytes: await bytesAt('split/elementwise.onnx') });
    const x = float32Tensor(
      [1, 600],
      Float32Array.from({ length: 600 }, (_, index) => index * 0.01 - 0.3),
    );
    const y = floats((await model.run(new Map([['x', x]]))).get('y'));
    await backend.dispose();
    return { provider, y };
  },

  /** A worker whose files are not there. */
  async runWithoutFiles() {
    const { backend } = await browserBackend({ prefer: 'wasm', wasmFolder: 'nowhere', createWorker });
    const error: unknown = await backend
      .load({ bytes: await bytesAt('split/whole.onnx') })
      .catch((caught: unknown) => caught);
    await backend.dispose();
    return { code: (error as { code?: string }).code ?? String(error) };
  },

  /** Whether the page stays alive while a model runs for a while in the worker. */
  async stallWhileRunning() {
    const { backend } = await browserBackend({ prefer: 'wasm', wasmFolder: 'ort', createWorker });
    const model = await backend.load({ bytes: await bytesAt('split/slow.onnx') });
    const size = 256;
    const x = float32Tensor([size, size], new Float32Array(size * size).fill(0.001));
    await model.run(new Map([['x', x]]));
    let longestMs = 0;
    let lastMs = performance.now();
    const timer = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 4);
    const startMs = performance.now();
    for (let run = 0; run < 5; run++) await model.run(new Map([['x', x]]));
    const tookMs = performance.now() - startMs;
    clearInterval(timer);
    await backend.dispose();
    return { tookMs, longestMs };
  },

  /** Head here, tail behind `cloudUrl`. */
  async split(cloudUrl: string, frames: number, token: string | null = null, model = 'm') {
    const { backend } = await browserBackend({ prefer: 'wasm', wasmFolder: 'ort', createWorker });
    const opened = await openSplitUrl('split', { backend });
    const session = await EdgeSession.open({
      ...opened,
      cloud: { model, connect: browserConnect({ url: cloudUrl }), token },
    });
    const state = await session.waitForCloud(20_000);
    const outcomes = await Promise.all(Array.from({ length: frames }, () => session.infer(new Map([['x', ramp(8)]]))));
    session.close();
    await opened.dispose();
    await backend.dispose();
    return {
      state,
      outcomes: outcomes.map((outcome) =>
        outcome.kind === 'result'
          ? { kind: outcome.kind, placement: outcome.placement, y: floats(outcome.outputs.get('y')) }
          : { kind: outcome.kind, code: outcome.code, message: outcome.message },
      ),
    };
  },

  async openWrongSplit() {
    const { backend } = await browserBackend({ prefer: 'wasm', wasmFolder: 'ort', createWorker });
    const ends = [];
    for (const folder of ['wrong', 'missing']) {
      const end: unknown = await openSplitUrl(folder, { backend }).catch((error: unknown) => error);
      ends.push((end as { code?: string }).code ?? 'opened');
    }
    await backend.dispose();
    return ends;
  },
};

export type BackendPage = typeof page;
Object.assign(globalThis, { page });
