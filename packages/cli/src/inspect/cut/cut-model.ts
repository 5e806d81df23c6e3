// A station file -> the files of its model: the whole one where it can be found, and the parts that the station runs.
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { StationFile } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { KerfError, type ManifestFile, messageOf, parseChainManifest, parseSplitManifest } from '@kerf/protocol';
import { refused } from '../../refusal.ts';

export interface CutModel {
  readonly kind: 'whole' | 'split' | 'chain';
  /** File name of the model that was cut, or of the model itself. */
  readonly name: string;
  /** The whole model's file; null where it is not on this device. */
  readonly wholePath: string | null;
  /** What the station runs, in the order of the model. */
  readonly partPaths: readonly string[];
  /** What crosses the cut of a split, model inputs among it; null for others. */
  readonly crossing: readonly string[] | null;
}

/** @throws {KerfError} FILE_NOT_FOUND, CONFIG_INVALID where `model.source` is another model, and what manifests throw. */
export async function cutModelOf({ config, folder }: StationFile): Promise<CutModel> {
  const path = resolve(folder, config.model.path);
  if (extname(path).toLowerCase() === '.onnx') {
    return { kind: 'whole', name: basename(path), wholePath: path, partPaths: [path], crossing: null };
  }
  const given = config.model.source === null ? null : resolve(folder, config.model.source);
  const chainText = await readFile(join(path, 'chain.json'), 'utf8').catch(() => null);
  if (chainText !== null) {
    const { source, segments } = parseChainManifest(parsed(chainText, 'chain.json'));
    const partPaths = segments.map(({ file }) => join(path, file));
    const wholePath = await wholeOf(source, path, given);
    return { kind: 'chain', name: source.file, wholePath, partPaths, crossing: null };
  }
  const splitText = await readFile(join(path, 'split.json'), 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', 'the folder of the model has neither split.json nor chain.json', { cause });
  });
  const split = parseSplitManifest(parsed(splitText, 'split.json'));
  const files = [split.head.file, split.tail.file].map((file) => join(path, file));
  const partPaths = [];
  for (const file of files) if (await isThere(file)) partPaths.push(file);
  const crossing = split.cut;
  return {
    kind: 'split',
    name: split.source.file,
    wholePath: await wholeOf(split.source, path, given),
    partPaths,
    crossing,
  };
}

/** Where the station file says it is, or beside the folder of its parts, or in it. */
async function wholeOf(
  { file, sha256 }: Pick<ManifestFile, 'file' | 'sha256'>,
  folder: string,
  given: string | null,
): Promise<string | null> {
  if (given !== null) {
    if ((await openModelFile(given)).sha256 === sha256) return given;
    throw refused({ kind: 'other-model', file });
  }
  for (const path of [join(dirname(folder), file), join(folder, file)]) {
    if (!(await isThere(path))) continue;
    const model = await openModelFile(path).catch(() => null);
    if (model?.sha256 === sha256) return path;
  }
  return null;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new KerfError('MANIFEST_INVALID', `${file} is no JSON: ${messageOf(error)}`);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
