// A folder with a chain -> its manifest, proved to match its files, and the segments as graphs.
import path from 'node:path';
import { hashFile, type ModelFile, openModelFile } from '@kerf/onnx/node';
import {
  type ChainManifest,
  type ChainSegment,
  chainHash,
  chainTableFiles,
  KerfError,
  type ManifestFile,
  segmentId,
} from '@kerf/protocol';
import { readManifest } from '../manifest-folder.ts';
import { CHAIN } from './write-chain.ts';

export interface ChainFolder {
  readonly folder: string;
  readonly manifest: ChainManifest;
  readonly segments: readonly ModelFile[];
}

/** Reads the chain.json of a folder. @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID. */
export async function readChainManifest(folder: string): Promise<ChainManifest> {
  return await readManifest(folder, CHAIN);
}

/**
 * Opens a chain and checks it: hashes and sizes of every file, the ids, the chain's hash, that each segment takes and
 * gives what the manifest says, reads data only from files that the manifest names, and repeats no node of another.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, and what opening a model throws.
 */
export async function openChain(folder: string): Promise<ChainFolder> {
  const manifest = await readChainManifest(folder);
  const { segments, sharedData } = manifest;
  if (sharedData !== null) await checkFile(folder, sharedData);
  for (const table of chainTableFiles(manifest)) await checkFile(folder, table);
  const models: ModelFile[] = [];
  for (const [at, segment] of segments.entries()) models.push(await openSegment(folder, segment, at, sharedData));
  if ((await chainHash(manifest)) !== manifest.chain) {
    throw mismatch("chain.json: the chain's hash does not fit its segments");
  }
  checkNoRepeat(models);
  return { folder, manifest, segments: models };
}

async function openSegment(
  folder: string,
  segment: ChainSegment,
  at: number,
  shared: ManifestFile | null,
): Promise<ModelFile> {
  const { file, externalData, usesSharedData } = segment;
  await checkFile(folder, segment);
  if (externalData !== null) await checkFile(folder, externalData);
  if ((await segmentId(segment, shared)) !== segment.id) {
    throw mismatch(`chain.json: the id of segment ${at} does not fit its files`);
  }
  const model = await openModelFile(path.join(folder, file));
  checkNames(`segments[${at}].inputs`, segment.inputs, model.graph.inputs);
  checkNames(`segments[${at}].outputs`, segment.outputs, model.graph.outputs);
  const allowed = [externalData?.file, usesSharedData ? shared?.file : undefined];
  const strange = [...model.externalFiles.keys()].find((location) => !allowed.includes(location));
  if (strange !== undefined) {
    throw new KerfError('MANIFEST_INVALID', `${file} reads '${strange}', which chain.json does not name for it`);
  }
  return model;
}

async function checkFile(folder: string, { file, sha256, bytes }: ManifestFile): Promise<void> {
  const found = await hashFile(path.join(folder, file));
  if (found.sha256 !== sha256 || found.bytes !== bytes) throw mismatch(`${file} is not the file that chain.json names`);
}

function mismatch(what: string): KerfError {
  return new KerfError('PAIR_MISMATCH', `${what}; make the chain again`);
}

function checkNames(field: string, said: readonly string[], found: readonly string[]): void {
  const missing = said.find((name) => !found.includes(name)) ?? found.find((name) => !said.includes(name));
  if (missing === undefined) return;
  throw new KerfError('MANIFEST_INVALID', `chain.json: ${field} and the file disagree on '${missing}'`);
}

function checkNoRepeat(segments: readonly ModelFile[]): void {
  const maker = new Map<string, number>();
  segments.forEach(({ graph }, at) => {
    for (const name of graph.nodes.filter((node) => !node.constant).flatMap((node) => node.outputs)) {
      const other = maker.get(name);
      if (other !== undefined) {
        throw new KerfError('MANIFEST_INVALID', `segment ${at} makes '${name}' again, which segment ${other} made`);
      }
      maker.set(name, at);
    }
  });
}
