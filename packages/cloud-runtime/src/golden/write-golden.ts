// A folder with a model and inputs for it -> golden samples beside the model, answered by the CPU provider.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DEFAULT_WIRE_LIMITS, KerfError, type LoadedModel, type Tensor, type TensorMap } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { FolderReader } from '../models/folder-reader.ts';
import { GOLDEN_FORMAT, type GoldenSample } from '../worker/golden.ts';
import { loadModel } from '../worker/load-model.ts';

/**
 * The model, tail or chain of a folder as the cloud would serve it, on the CPU provider in this process.
 * @throws {KerfError} FILE_NOT_FOUND when the folder holds none, and what loading says.
 */
export async function openModelFolder(folder: string): Promise<LoadedModel> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the folder ${folder} is not there`, { cause });
  });
  const reader = new FolderReader(root);
  const pair = (await reader.manifestIn(root))?.pair ?? null;
  const files = await reader.modelIn(root, { model: basename(root), version: '1' }, pair);
  if (files === null) {
    throw new KerfError('FILE_NOT_FOUND', `${folder} holds no model.onnx, no split.json and no chain.json`);
  }
  const { model } = await loadModel({
    type: 'load',
    identity: null,
    paths: files.paths,
    entries: files.entries,
    files: files.hashes,
    tables: files.tables,
    providers: ['cpu'],
    threads: 1,
    optimizationLevel: 'all',
    maxDecodedImageBytes: DEFAULT_WIRE_LIMITS.maxDecodedBytes,
    maxDecodedBytes: DEFAULT_WIRE_LIMITS.maxDecodedBytes,
    golden: null,
    warmUp: { maxRows: 1, budgetMs: 0 },
  });
  const [entry] = model.entries;
  return {
    inputs: entry?.inputs ?? [],
    outputs: entry?.outputs ?? [],
    async run(inputs) {
      const [outcome] = (await model.run([{ entry: 0, inputs }], null)).outcomes;
      if (outcome === undefined || 'error' in outcome) {
        throw KerfError.from(outcome?.error, 'BACKEND_FAILED', 'the model did not run');
      }
      return outcome.outputs;
    },
    dispose: () => Promise.resolve(),
  };
}

export interface WriteGoldenOptions {
  readonly folder: string;
  readonly model: LoadedModel;
  readonly inputs: readonly TensorMap[];
  /** Largest difference of floats, absolute or relative to the value, that a provider may show. */
  readonly tolerance: number;
  /** Replaces samples that are there. @default false */
  readonly force?: boolean;
  /** Called between two steps: what it throws ends the work, with nothing of it left. @default nothing is asked */
  readonly check?: () => Promise<void>;
}

const STAGING = '.kerf-golden-';

/**
 * Writes `golden/` whole or not at all. @returns bytes of all tensors.
 * @throws {KerfError} FILE_EXISTS, and what the model throws.
 */
export async function writeGolden({
  folder,
  model,
  inputs,
  tolerance,
  force = false,
  check,
}: WriteGoldenOptions): Promise<number> {
  const target = join(folder, 'golden');
  const exists = await stat(target).then(
    () => true,
    () => false,
  );
  if (exists && !force) throw new KerfError('FILE_EXISTS', `${target} is there; --force replaces it`);
  const samples: GoldenSample[] = [];
  for (const one of inputs) {
    await check?.();
    samples.push({ inputs: one, outputs: await model.run(one) });
  }
  // A run that was ended could not clear its own away.
  const stale = (await readdir(folder)).filter((name) => name.startsWith(STAGING));
  for (const name of stale) await rm(join(folder, name), { recursive: true, force: true });
  const staging = await mkdtemp(join(folder, STAGING));
  try {
    const bytes = await writeInto(staging, samples, tolerance);
    await check?.();
    if (exists) await rm(target, { recursive: true });
    await rename(staging, target);
    return bytes;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function writeInto(folder: string, samples: readonly GoldenSample[], tolerance: number): Promise<number> {
  await makeFolders(folder);
  let bytes = 0;
  let count = 0;
  const entryOf = async (name: string, { dtype, shape, data }: Tensor): Promise<object> => {
    // Names of tensors hold any character; files do not.
    const file = `${count++}.bin`;
    await writeFile(join(folder, file), data);
    bytes += data.byteLength;
    return { name, dtype, shape, file, sha256: createHash('sha256').update(data).digest('hex') };
  };
  const entriesOf = async (tensors: TensorMap): Promise<object[]> => {
    const entries: object[] = [];
    for (const [name, tensor] of tensors) entries.push(await entryOf(name, tensor));
    return entries;
  };
  const listed: object[] = [];
  for (const { inputs, outputs } of samples) {
    listed.push({ inputs: await entriesOf(inputs), outputs: await entriesOf(outputs) });
  }
  const json = JSON.stringify({ format: GOLDEN_FORMAT, tolerance, samples: listed }, null, 2);
  await writeFile(join(folder, 'golden.json'), `${json}\n`);
  return bytes;
}
