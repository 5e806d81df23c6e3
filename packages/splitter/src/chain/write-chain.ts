// A model file and nested cuts -> segment files, shared weights and chain.json in a folder.
import { mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { type ExtractOptions, extract, type ValueType } from '@kerf/onnx';
import { type ModelFile, writeDataFile, writeModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  byteLengthOf,
  CHAIN_FORMAT,
  type ChainManifest,
  type ChainSegment,
  KerfError,
  MAX_CHAIN_SEGMENTS,
  type ManifestFile,
  messageOf,
  parseChainManifest,
  type SplitTensor,
  type TensorSpec,
} from '@kerf/protocol';
import { fileHost } from '../file-host.ts';
import {
  checkSource,
  checkTarget,
  checkWhole,
  type ManifestKind,
  makeFolder,
  readManifest,
  writeManifest,
} from '../manifest-folder.ts';
import type { ModelHost } from '../model-host.ts';
import { crossingType, isRefusal, LOAD_LEVELS, load, withoutShapes } from '../split-model.ts';
import { type DimensionBindings, mergeSpec, valueSpecs } from '../value-types.ts';
import { chainHash, segmentId } from './chain-hash.ts';
import type { ChosenCuts } from './choose-cuts.ts';
import { type ChainPlan, planChain, type SegmentPlan } from './plan-chain.ts';
import { type SharedData, sharedData } from './shared-data.ts';

export const CHAIN_FILE = 'chain.json';
const SHARED_FILE = 'shared.data';
const STAGING = '.kerf-chain-';

export const CHAIN: ManifestKind<ChainManifest> = {
  file: CHAIN_FILE,
  what: 'chain',
  remedy: 'make the chain again',
  parse: parseChainManifest,
};

export interface WriteChainOptions {
  readonly model: ModelFile;
  /** Sets of tensors to cut at, or cuts that profiles chose. Without any the chain is one segment. */
  readonly cuts: readonly (readonly string[])[] | ChosenCuts;
  readonly folder: string;
  readonly backend: Backend;
  /** Overwrites a folder that holds something else than a former chain. @default false */
  readonly force?: boolean;
  /** @default 'kerf' */
  readonly createdBy?: string;
  /** Sizes of open dimensions, for the bytes that cross: by symbol, or whole input shapes. The segments keep the symbols. */
  readonly dims?: DimensionBindings;
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
}

export interface WrittenChain {
  readonly manifest: ChainManifest;
  readonly plan: ChainPlan;
}

/**
 * Writes a chain. The model is loaded with the backend first; the segments are written to a folder of their own inside,
 * loaded from there, and moved, chain.json last, so that a folder with a chain.json holds a whole chain.
 * @throws {KerfError} every code of `planChain`, MODEL_UNSUPPORTED with the runtime's reason, CUT_TYPE_UNSUPPORTED,
 * FILE_EXISTS, FILE_NOT_FOUND.
 */
export async function writeChain(options: WriteChainOptions): Promise<WrittenChain> {
  const { model, folder, backend, force = false } = options;
  const chosen = 'choice' in options.cuts ? options.cuts : null;
  const plan = planChain(
    model.graph,
    'choice' in options.cuts ? options.cuts.cuts.map(({ tensors }) => tensors) : options.cuts,
  );
  await checkTarget(folder, CHAIN, force);
  checkSource(model, folder, TARGETS, CHAIN.what);
  await checkWhole(model, backend);
  const host = fileHost(model);
  const values = await boundaryTypes(plan, backend, host);
  const bytes = await crossingBytes(plan, values.tensors, options, host);
  const write = async (staging: string): Promise<ChainManifest> => {
    const files = await writeSegments(plan, values.types, model, backend, staging);
    const draft = {
      format: CHAIN_FORMAT,
      source: { file: model.name, sha256: model.sha256, bytes: model.bytes },
      modelInputs: model.graph.inputs,
      modelOutputs: model.graph.outputs,
      segments: files.segments,
      cuts: plan.cuts.map(({ cut }, at) => ({
        tensors: cut,
        bytes: bytes[at] ?? null,
        reign: chosen?.cuts[at]?.reign ?? null,
      })),
      tensors: values.tensors,
      sharedData: files.shared,
      choice: chosen?.choice ?? null,
      createdBy: options.createdBy ?? 'kerf',
    } as const;
    return { ...draft, chain: await chainHash(draft) };
  };
  return { manifest: await staged(folder, write), plan };
}

const TARGETS: readonly string[] = [
  ...Array.from({ length: MAX_CHAIN_SEGMENTS }, (_, at) => [segmentFile(at), `${segmentFile(at)}.data`]).flat(),
  SHARED_FILE,
  CHAIN_FILE,
];

function segmentFile(at: number): string {
  return `segment-${at}.onnx`;
}

type Types = ReadonlyMap<string, ValueType | null>;

/** What the runtime says of everything that enters or leaves a segment: one load of the model with these as outputs. */
async function boundaryTypes(
  { graph, cuts, segments }: ChainPlan,
  backend: Backend,
  host: ModelHost,
): Promise<{ readonly types: Types; readonly tensors: readonly SplitTensor[] }> {
  const inputs = new Set(graph.inputs);
  const crossing = [...new Set(cuts.flatMap(({ cut }) => cut))].filter((name) => !inputs.has(name));
  const outputs = [...new Set([...crossing, ...graph.outputs])].filter((name) => !inputs.has(name));
  const untyped = new Map(crossing.map((name) => [name, null]));
  const specs: ReadonlyMap<string, TensorSpec> =
    outputs.length === 0
      ? new Map()
      : await load(graph, { inputs: graph.inputs, outputs, types: untyped }, backend, host, 'model');
  const types = new Map(crossing.map((name) => [name, crossingType(graph, name, specs.get(name))]));
  const ends = segments.flatMap((segment) => [...segment.inputs, ...segment.outputs]);
  const names = [...new Set([...graph.inputs, ...ends, ...graph.outputs])];
  const tensors = names.map((name) => {
    const { dtype, shape } = mergeSpec(graph, name, specs.get(name));
    return { name, dtype, shape };
  });
  return { types, tensors };
}

/** Bytes of each cut, at the sizes of the model or of the options; null while one is open. */
async function crossingBytes(
  plan: ChainPlan,
  tensors: readonly SplitTensor[],
  { dims, inputShapes, backend }: WriteChainOptions,
  host: ModelHost,
): Promise<(number | null)[]> {
  let sizes = new Map(tensors.map((tensor) => [tensor.name, bytesOf(tensor)]));
  const isOpen = plan.cuts.some(({ cut }) => cut.some((name) => sizes.get(name) == null));
  if (isOpen && (dims !== undefined || inputShapes !== undefined)) {
    const bound = { dims: dims ?? {}, inputShapes: inputShapes ?? new Map<string, readonly number[]>() };
    const specs = await valueSpecs(plan.graph, { host, backend, ...bound });
    sizes = new Map([...specs].map(([name, spec]) => [name, spec.bytes]));
  }
  return plan.cuts.map(({ cut }) =>
    cut.reduce<number | null>((sum, name) => {
      const size = sizes.get(name) ?? null;
      return sum === null || size === null ? null : sum + size;
    }, 0),
  );
}

function bytesOf({ dtype, shape }: SplitTensor): number | null {
  const isKnown = shape !== null && shape.every((size) => typeof size === 'number');
  return dtype === null || dtype === 'string' || !isKnown ? null : byteLengthOf(dtype, shape);
}

async function writeSegments(
  plan: ChainPlan,
  types: Types,
  model: ModelFile,
  backend: Backend,
  staging: string,
): Promise<{ readonly segments: ChainSegment[]; readonly shared: ManifestFile | null }> {
  const { graph } = plan;
  const plain = plan.segments.map(({ inputs, outputs }) => extract(graph, { inputs, outputs, types }));
  const data = sharedData(graph, plain, SHARED_FILE);
  const shared = data.pieces.length === 0 ? null : await writeShared(data, model, staging);
  const segments: ChainSegment[] = [];
  for (const [at, segment] of plan.segments.entries()) {
    const files = await writeSegment({ plan: segment, at, types, data }, model, backend, staging);
    const usesSharedData = data.users.has(at);
    const { nodes, inputs, outputs } = segment;
    const draft = { ...files, nodes: nodes.length, inputs, outputs, usesSharedData };
    segments.push({ ...draft, id: await segmentId(draft, shared) });
  }
  return { segments, shared };
}

async function writeShared(data: SharedData, model: ModelFile, staging: string): Promise<ManifestFile> {
  const { sha256, bytes } = await writeDataFile(path.join(staging, SHARED_FILE), data.pieces, model.externalFiles);
  return { file: SHARED_FILE, sha256, bytes };
}

interface SegmentTask {
  readonly plan: SegmentPlan;
  readonly at: number;
  readonly types: Types;
  readonly data: SharedData;
}

/** Where the runtime refuses the shapes at the borders it is asked again without them. */
async function writeSegment(
  task: SegmentTask,
  model: ModelFile,
  backend: Backend,
  staging: string,
): Promise<ManifestFile & Pick<ChainSegment, 'externalData'>> {
  try {
    return await tryToWrite(task, model, backend, staging);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    try {
      return await tryToWrite({ ...task, types: withoutShapes(task.types) }, model, backend, staging);
    } catch {
      // The first reason is about the segment as it is.
      throw new KerfError('MODEL_UNSUPPORTED', `segment ${task.at} does not load: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

async function tryToWrite(
  { plan, at, types, data }: SegmentTask,
  model: ModelFile,
  backend: Backend,
  staging: string,
): Promise<ManifestFile & Pick<ChainSegment, 'externalData'>> {
  const file = segmentFile(at);
  const dataFile = `${file}.data`;
  const ends: ExtractOptions = { inputs: plan.inputs, outputs: plan.outputs, types };
  const extracted = extract(model.graph, { ...ends, externalFile: dataFile, shared: data.places });
  const written = await writeModelFile(extracted, path.join(staging, file), model.externalFiles, dataFile);
  await tryToLoad(written.path, backend);
  const own = written.externalData;
  return {
    file,
    sha256: written.sha256,
    bytes: written.bytes,
    externalData: own === null ? null : { file: dataFile, sha256: own.sha256, bytes: own.bytes },
  };
}

async function tryToLoad(file: string, backend: Backend): Promise<void> {
  let reason: unknown;
  for (const optimizationLevel of LOAD_LEVELS) {
    try {
      const loaded = await backend.load({ path: file }, { optimizationLevel });
      await loaded.dispose();
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      reason ??= error;
    }
  }
  throw reason;
}

/** Lets `write` fill a folder inside, then puts its files in place; on failure nothing is left of it. */
async function staged(folder: string, write: (staging: string) => Promise<ChainManifest>): Promise<ChainManifest> {
  const isNew = await makeFolder(folder);
  let staging: string | null = null;
  try {
    staging = await makeStaging(folder);
    const manifest = await write(staging);
    await putInPlace(manifest, staging, folder);
    return manifest;
  } catch (error) {
    if (staging !== null) await rm(staging, { recursive: true, force: true });
    if (isNew) await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

async function makeStaging(folder: string): Promise<string> {
  try {
    return await mkdtemp(path.join(folder, STAGING));
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the folder '${folder}' cannot be written to`, { cause });
  }
}

async function putInPlace(manifest: ChainManifest, staging: string, folder: string): Promise<void> {
  const former = await readManifest(folder, CHAIN).catch(() => null);
  // From here to the end the old chain is not whole: its manifest goes first.
  await rm(path.join(folder, CHAIN_FILE), { force: true });
  for (const file of former === null ? [] : chainFiles(former)) await rm(path.join(folder, file), { force: true });
  try {
    for (const file of chainFiles(manifest)) await rename(path.join(staging, file), path.join(folder, file));
  } catch (cause) {
    throw new KerfError('FILE_EXISTS', `a file of the chain cannot be put into '${folder}'`, { cause });
  }
  await rm(staging, { recursive: true, force: true });
  await writeManifest(folder, CHAIN_FILE, manifest);
}

/** Every file of a chain but its manifest. */
export function chainFiles({ segments, sharedData: shared }: ChainManifest): string[] {
  const own = segments.flatMap(({ file, externalData }) => [
    file,
    ...(externalData === null ? [] : [externalData.file]),
  ]);
  return shared === null ? own : [...own, shared.file];
}
