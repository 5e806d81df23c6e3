// A job -> the profile of this device, measured in this worker: no message between threads is in its times.
import { makeBrowserBackend } from '@kerf/edge-runtime/browser';
import { type ModelGraph, openModel } from '@kerf/onnx';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import { bytesHost, type DeviceProfile, listCuts, profileModel, type SegmentCost } from '@kerf/splitter';
import { adapterInfo, chooseProvider } from './choose-provider.ts';
import { type BrowserFacts, describeDevice } from './device.ts';
import type { ChosenProvider, MeasuredSegment, ProfileJob, WorkerNews } from './job.ts';
import { type LoadedFiles, loadModelFiles } from './load-model.ts';
import { VERSIONS } from './versions.ts';

/** The part of a worker's global scope that is used; the DOM's types describe a page. */
interface WorkerScope {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void, options: { once: boolean }): void;
}

const scope = globalThis as unknown as WorkerScope;
const tell = (news: WorkerNews): void => scope.postMessage(news);

scope.addEventListener(
  'message',
  (event) => {
    run(event.data as ProfileJob).catch((error: unknown) => {
      const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
      tell({ kind: 'failed', code, message });
    });
  },
  { once: true },
);

async function run(job: ProfileJob): Promise<void> {
  const files = await loadModelFiles(job, (doneBytes, totalBytes) => tell({ kind: 'loading', doneBytes, totalBytes }));
  const graph = openModel(files.bytes);
  tell({ kind: 'stage', text: job.provider === 'wasm' ? 'starting WebAssembly' : 'checking WebGPU on this model' });
  const source = { bytes: files.bytes, externalData: files.externalData };
  const chosen = await chooseProvider(job, graph, source, files.inputs);
  const profile = await measure(job, graph, files, chosen);
  tell({ kind: 'done', profileText: JSON.stringify(profile, null, 1), wholeMs: profile.wholeMs });
}

async function measure(
  job: ProfileJob,
  graph: ModelGraph,
  { bytes, readExternal, inputs }: LoadedFiles,
  chosen: ChosenProvider,
): Promise<DeviceProfile> {
  const { provider } = chosen;
  checkThreads(job, provider);
  const adapter = provider === 'webgpu' ? await adapterInfo() : null;
  const { device: described, browser } = await describeDevice(navigator as BrowserFacts, adapter);
  const device = { ...described, name: job.name ?? described.name };
  tell({ kind: 'provider', chosen, device });
  const wasmFolder = new URL('ort/', location.href).href;
  const backend = await makeBrowserBackend({ provider, wasmFolder, threads: job.threads });
  try {
    return await profileModel({
      graph,
      model: { file: job.model.file, sha256: await sha256Hex(bytes) },
      backend,
      host: bytesHost(readExternal),
      device,
      provider,
      threads: provider === 'wasm' ? job.threads : null,
      versions: { ...VERSIONS, [browser[0]]: browser[1] },
      optimizationLevel: job.optimizationLevel,
      dims: job.dims,
      inputs,
      clock: systemClock,
      date: new Date().toISOString(),
      budgetMs: job.budgetMs,
      side: job.side,
      nodeEvents: null,
      onProgress: (text) => tell({ kind: 'stage', text }),
      onSegment: segmentTeller(graph),
    });
  } finally {
    await backend.dispose();
  }
}

/** Says where in the model a measured cut lies. */
function segmentTeller(graph: ModelGraph): (segment: SegmentCost) => void {
  const cuts = listCuts(graph);
  const keyOf = (tensors: readonly string[]): string => JSON.stringify([...tensors].sort());
  const headNodes = new Map(cuts.map((cut) => [keyOf([...cut.tensors, ...cut.inputs]), cut.headNodes]));
  const first = cuts[0];
  const totalNodes = first === undefined ? 0 : first.headNodes + first.tailNodes;
  return ({ head, tail, ms }) => {
    const tensors = head ?? tail ?? [];
    const side: MeasuredSegment['side'] = head === null ? 'tail' : 'head';
    const segment = { tensors, headNodes: headNodes.get(keyOf(tensors)) ?? null, totalNodes, side, ms };
    tell({ kind: 'segment', segment });
  };
}

function checkThreads({ threads }: ProfileJob, provider: ChosenProvider['provider']): void {
  if (provider === 'webgpu' || threads === 1 || crossOriginIsolated) return;
  throw new KerfError(
    'BACKEND_UNAVAILABLE',
    'this browser does not isolate the page, so WebAssembly has one thread only: leave --threads out',
  );
}

async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
