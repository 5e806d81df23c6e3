// A model's folder or file and a provider -> whether that provider gives the CPU's answers, and how fast each is.
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SelfTestView } from '@kerf/bridge';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { systemClock, type Tensor, type TensorMap } from '@kerf/protocol';
import { compareTensors, findInputs, mergeSpec, type Sampler } from '@kerf/splitter';
import { refused } from '../refusal.ts';

const TOLERANCE = { relative: 1e-3, absolute: 1e-4 };
/** After one that warms up; the median counts. */
const RUNS = 5;

/**
 * In runtimes of its own: the line goes on meanwhile.
 * @param signal ends it before the next run of the model
 * @throws {KerfError} FILE_NOT_FOUND; what loading and running throw; the signal's reason.
 */
export async function selfTest(place: string, provider: string, signal: AbortSignal): Promise<SelfTestView> {
  const file = await modelFileOf(place);
  const expected = await answersOf({ path: file, provider: 'cpu', signal }, null);
  const got = await answersOf({ path: file, provider, signal }, expected.sampler);
  const differences = [...expected.outputs].map(([name, tensor]) =>
    compareTensors(tensor, got.outputs.get(name) ?? NO_TENSOR, TOLERANCE),
  );
  const most = Math.max(0, ...differences.map(({ maxAbsolute }) => maxAbsolute));
  return {
    file: basename(file),
    provider,
    providerMs: got.ms,
    cpuMs: expected.ms,
    maxAbsDifference: Number.isFinite(most) ? most : null,
    isBitEqual: differences.every(({ isBitEqual }) => isBitEqual),
    isEqual: differences.every(({ isWithin }) => isWithin),
  };
}

const NO_TENSOR: Tensor = { dtype: 'uint8', shape: [0], data: new Uint8Array(0) };

/** The model, the head of a split, or the first segment of a chain. */
async function modelFileOf(place: string): Promise<string> {
  const { isFile } = await statsOf(place);
  if (isFile) return place;
  const chain = await jsonOf<{ segments: { file: string }[] }>(join(place, 'chain.json'));
  const split = chain === null ? await jsonOf<{ head: { file: string } }>(join(place, 'split.json')) : null;
  const name = chain?.segments[0]?.file ?? split?.head.file;
  if (name !== undefined) return join(place, name);
  throw refused({ kind: 'file-unreadable', file: basename(place) });
}

async function statsOf(place: string): Promise<{ isFile: boolean }> {
  const stats = await stat(place).catch((cause: unknown) => {
    throw refused({ kind: 'file-unreadable', file: basename(place) }, cause);
  });
  return { isFile: stats.isFile() };
}

async function jsonOf<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as T);
}

interface Answers {
  readonly sampler: Sampler;
  readonly outputs: TensorMap;
  readonly ms: number;
}

interface Asked {
  readonly path: string;
  readonly provider: string;
  readonly signal: AbortSignal;
}

/** @param given inputs that another provider was asked with; null: they are found by trial */
async function answersOf({ path, provider, signal }: Asked, given: Sampler | null): Promise<Answers> {
  signal.throwIfAborted();
  const spec = provider === 'cpu' ? {} : { executionProvider: provider };
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', ...spec });
  try {
    const model = await backend.load({ path });
    const { graph } = await openModelFile(path);
    const specs = model.inputs.map((input) => mergeSpec(graph, input.name, input));
    const sampler = given ?? (await findInputs(model, { specs, clock: systemClock }));
    const inputs = sampler.sample(0);
    let outputs = await model.run(inputs);
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      signal.throwIfAborted();
      const startMs = systemClock.nowMs();
      outputs = await model.run(inputs);
      times.push(systemClock.nowMs() - startMs);
    }
    return { sampler, outputs, ms: times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] as number };
  } finally {
    await backend.dispose();
  }
}
