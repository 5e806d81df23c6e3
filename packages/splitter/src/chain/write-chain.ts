// A model file and nested cuts -> segment files, shared weights and chain.json in a folder.
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ModelFile, modelIdentity } from '@kerf/onnx/node';
import {
  type Backend,
  CHAIN_FORMAT,
  type ChainManifest,
  chainHash,
  chainTableFiles,
  KerfError,
  MAX_CHAIN_SEGMENTS,
  parseChainManifest,
} from '@kerf/protocol';
import { fileHost } from '../file-host.ts';
import {
  checkSource,
  checkTarget,
  checkWhole,
  type ManifestKind,
  readManifest,
  writeManifest,
} from '../manifest-folder.ts';
import { type Check, staged } from '../staged-folder.ts';
import type { DimensionBindings } from '../value-types.ts';
import { boundaryTypes, crossingBytes } from './boundary.ts';
import type { ChosenCuts } from './choose-cuts.ts';
import { type ChainPlan, planChain } from './plan-chain.ts';
import { SHARED_FILE, segmentFile, writeSegments } from './write-segments.ts';

export const CHAIN_FILE = 'chain.json';
const STAGING = '.kerf-chain-';

export const CHAIN: ManifestKind<ChainManifest> = {
  file: CHAIN_FILE,
  what: 'chain',
  remedy: 'make the chain again',
  leftover: STAGING,
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
  /** @default nothing is asked */
  readonly check?: Check;
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
  const { model, folder, backend, force = false, check } = options;
  const chosen = 'choice' in options.cuts ? options.cuts : null;
  const named = 'choice' in options.cuts ? options.cuts.cuts.map(({ tensors }) => tensors) : options.cuts;
  const plan = planChain(model.graph, named);
  await checkTarget(folder, CHAIN, force);
  checkSource(model, folder, TARGETS, CHAIN.what);
  await checkWhole(model, backend);
  await check?.();
  const host = fileHost(model);
  const values = await boundaryTypes(plan, backend, host);
  const bytes = await crossingBytes(plan, values.tensors, { ...options, host });
  const cuts = plan.cuts.map(({ cut }, at) => ({
    tensors: cut,
    bytes: bytes[at] ?? null,
    codec: { kind: 'raw' } as const,
    reign: chosen?.cuts[at]?.reign ?? null,
  }));
  const write = async (staging: string): Promise<ChainManifest> => {
    const { segments, shared } = await writeSegments(plan, values.types, { model, backend, check }, staging);
    const draft = {
      format: CHAIN_FORMAT,
      source: { file: model.name, sha256: model.sha256, bytes: model.bytes, identity: await modelIdentity(model) },
      modelInputs: model.graph.inputs,
      modelOutputs: model.graph.outputs,
      segments,
      cuts,
      tensors: values.tensors,
      sharedData: shared,
      choice: chosen?.choice ?? null,
      createdBy: options.createdBy ?? 'kerf',
    } as const;
    return { ...draft, chain: await chainHash(draft) };
  };
  const putChain = (manifest: ChainManifest, staging: string): Promise<void> => putInPlace(manifest, staging, folder);
  return { manifest: await staged({ folder, prefix: STAGING, write, putInPlace: putChain, check }), plan };
}

const TARGETS: readonly string[] = [
  ...Array.from({ length: MAX_CHAIN_SEGMENTS }, (_, at) => [segmentFile(at), `${segmentFile(at)}.data`]).flat(),
  SHARED_FILE,
  CHAIN_FILE,
];

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
  await writeManifest(folder, CHAIN_FILE, manifest);
}

/** Every file of a chain but its manifest. */
export function chainFiles(manifest: ChainManifest): string[] {
  const { segments, sharedData: shared } = manifest;
  const tables = chainTableFiles(manifest).map(({ file }) => file);
  const own = segments.flatMap(({ file, externalData }) => [
    file,
    ...(externalData === null ? [] : [externalData.file]),
  ]);
  return [...own, ...(shared === null ? [] : [shared.file]), ...tables];
}
