// A folder with a split -> its manifest, proved to match its files, and head and tail as graphs.
import path from 'node:path';
import { hashFile, type ModelFile, openModelFile } from '@kerf/onnx/node';
import { KerfError, type SplitManifest, type SplitPart } from '@kerf/protocol';
import { pairHash } from './split-model.ts';
import { readManifestFile } from './write-split.ts';

export interface SplitFolder {
  readonly folder: string;
  readonly manifest: SplitManifest;
  readonly head: ModelFile;
  readonly tail: ModelFile;
}

/**
 * Opens a split and checks it: hashes and sizes of every file, the pair hash, that head and tail take and give what
 * the manifest says, and that no node of the head is in the tail again, so that nothing but the cut crosses.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, and what opening a model throws.
 */
export async function openSplit(folder: string): Promise<SplitFolder> {
  const manifest = await readManifestFile(folder);
  const head = await openPart(folder, manifest.head, 'head');
  const tail = await openPart(folder, manifest.tail, 'tail');
  const pair = await pairHash(manifest.source.sha256, manifest.cut, manifest.head, manifest.tail);
  if (pair !== manifest.pair) {
    throw new KerfError('PAIR_MISMATCH', 'split.json: the pair hash does not fit its files; split the model again');
  }
  checkNames('headInputs', manifest.headInputs, head.graph.inputs);
  checkNames('headOutputs', manifest.headOutputs, head.graph.outputs);
  checkNames('tailInputs', manifest.tailInputs, tail.graph.inputs);
  checkNames('tailOutputs', manifest.tailOutputs, tail.graph.outputs);
  checkNoRepeat(head, tail);
  return { folder, manifest, head, tail };
}

async function openPart(folder: string, part: SplitPart, side: string): Promise<ModelFile> {
  const model = await openModelFile(path.join(folder, part.file));
  if (model.sha256 !== part.sha256 || model.bytes !== part.bytes) {
    throw new KerfError(
      'PAIR_MISMATCH',
      `${part.file} is not the ${side} that split.json describes; split the model again`,
    );
  }
  const data = part.externalData;
  if (data === null) {
    if (model.externalFiles.size > 0) {
      throw new KerfError('MANIFEST_INVALID', `${part.file} has external data that split.json does not mention`);
    }
    return model;
  }
  const { sha256, bytes } = await hashFile(path.join(folder, data.file));
  if (sha256 !== data.sha256 || bytes !== data.bytes) {
    throw new KerfError(
      'PAIR_MISMATCH',
      `${data.file} is not the data that split.json describes; split the model again`,
    );
  }
  return model;
}

function checkNames(field: string, said: readonly string[], found: readonly string[]): void {
  const missing = said.find((name) => !found.includes(name)) ?? found.find((name) => !said.includes(name));
  if (missing === undefined) return;
  throw new KerfError('MANIFEST_INVALID', `split.json: ${field} and the file disagree on '${missing}'`);
}

function checkNoRepeat(head: ModelFile, tail: ModelFile): void {
  const made = new Set(head.graph.nodes.filter((node) => !node.constant).flatMap((node) => node.outputs));
  const repeated = tail.graph.nodes.find((node) => !node.constant && node.outputs.some((name) => made.has(name)));
  if (repeated !== undefined) {
    throw new KerfError('MANIFEST_INVALID', `the tail makes '${repeated.outputs[0]}' again, which the head made`);
  }
}
