// A planned chain and its model file -> segment files and the data that they share, each seen to load.
import path from 'node:path';
import { type ExtractOptions, extract } from '@kerf/onnx';
import { type ModelFile, writeDataFile, writeModelFile } from '@kerf/onnx/node';
import { type Backend, type ChainSegment, KerfError, type ManifestFile, messageOf, segmentId } from '@kerf/protocol';
import { isRefusal, LOAD_LEVELS, withoutShapes } from '../split-model.ts';
import type { Check } from '../staged-folder.ts';
import type { BoundaryTypes } from './boundary.ts';
import type { ChainPlan, SegmentPlan } from './plan-chain.ts';
import { type SharedData, sharedData } from './shared-data.ts';

export const SHARED_FILE = 'shared.data';

export function segmentFile(at: number): string {
  return `segment-${at}.onnx`;
}

/**
 * Writes every segment, and the data that several of them use, into a folder, and loads each from there.
 * @throws {KerfError} MODEL_UNSUPPORTED with the runtime's reason, FILE_NOT_FOUND, EXTERNAL_DATA.
 */
export async function writeSegments(
  plan: ChainPlan,
  types: BoundaryTypes,
  {
    model,
    backend,
    check,
  }: { readonly model: ModelFile; readonly backend: Backend; readonly check: Check | undefined },
  staging: string,
): Promise<{ readonly segments: ChainSegment[]; readonly shared: ManifestFile | null }> {
  const { graph } = plan;
  const plain = plan.segments.map(({ inputs, outputs }) => extract(graph, { inputs, outputs, types }));
  const data = sharedData(graph, plain, SHARED_FILE);
  const shared = data.pieces.length === 0 ? null : await writeShared(data, model, staging);
  const segments: ChainSegment[] = [];
  for (const [at, segment] of plan.segments.entries()) {
    await check?.();
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
  readonly types: BoundaryTypes;
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
