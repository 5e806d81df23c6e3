// A model, a split, a chain or a folder -> the files of a release, each with its role, its sides and its hashes.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { chainTableFiles, KerfError, parseChainManifest, parseSplitManifest } from '@kerf/protocol';
import type { SourceFile } from '../../encode/source-files.ts';
import type { FileRole, ReleaseFile, ReleaseKind, Side } from '../../release/release-manifest.ts';
import { tensorGroups } from '../../release/tensor-groups.ts';
import { nodeHasher } from '../file-reader.ts';
import { openSources } from '../source-folder.ts';

/** What is to be published, read and hashed. */
export interface ReleaseDraft {
  readonly kind: ReleaseKind;
  readonly entry: string | null;
  readonly pair: string | null;
  readonly files: readonly { readonly described: Omit<ReleaseFile, 'deltas'>; readonly source: SourceFile }[];
  close(): Promise<void>;
}

export interface DraftOptions {
  /** A model, a folder with split.json or chain.json, or any folder. */
  readonly place: string;
  /** Devices get the tail too, for when the cloud is away. @default false: a tail stays in the cloud */
  readonly tailOnEdge?: boolean;
}

const BOTH: readonly Side[] = ['edge', 'cloud'];

interface Shape {
  readonly kind: ReleaseKind;
  readonly entry: string | null;
  readonly pair: string | null;
  /** By file name; other files are for both sides. */
  readonly roles: ReadonlyMap<string, { readonly role: FileRole; readonly sides: readonly Side[] }>;
}

/** @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, EXTERNAL_DATA, INVALID_ARGUMENT for names that not every system can hold. */
export async function draftRelease(options: DraftOptions): Promise<ReleaseDraft> {
  const sources = await openSources(options.place);
  const { files } = sources;
  const close = (): Promise<void> => sources.close();
  try {
    const shape = await shapeOf(options, files);
    const described = [];
    for (const source of files) {
      const { role, sides } = shape.roles.get(source.name) ?? { role: 'other' as const, sides: BOTH };
      const { name, sha256, reader } = source;
      const groups = await tensorGroups(source, nodeHasher);
      described.push({ described: { name, role, sides, bytes: reader.byteLength, sha256, groups }, source });
    }
    return { kind: shape.kind, entry: shape.entry, pair: shape.pair, files: described, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function shapeOf({ place, tailOnEdge = false }: DraftOptions, files: readonly SourceFile[]): Promise<Shape> {
  const names = new Set(files.map(({ name }) => name));
  if (!(await stat(place)).isDirectory()) return modelShape(files);
  if (names.has('split.json')) return splitShape(await jsonOf(path.join(place, 'split.json')), tailOnEdge, names);
  if (names.has('chain.json')) return chainShape(await jsonOf(path.join(place, 'chain.json')), names);
  return { kind: 'files', entry: null, pair: null, roles: new Map() };
}

function modelShape(files: readonly SourceFile[]): Shape {
  const [model, ...data] = files;
  if (model === undefined) throw new KerfError('FILE_NOT_FOUND', 'there is nothing to publish');
  if (!model.isModel) return { kind: 'files', entry: null, pair: null, roles: new Map() };
  const roles = new Map([[model.name, { role: 'model' as FileRole, sides: BOTH }]]);
  for (const { name } of data) roles.set(name, { role: 'data', sides: BOTH });
  return { kind: 'model', entry: model.name, pair: model.sha256, roles };
}

function splitShape(json: unknown, tailOnEdge: boolean, names: ReadonlySet<string>): Shape {
  const { head, tail, pair } = parseSplitManifest(json);
  const tailSides: readonly Side[] = tailOnEdge ? BOTH : ['cloud'];
  const roles = new Map<string, { role: FileRole; sides: readonly Side[] }>([
    ['split.json', { role: 'manifest', sides: BOTH }],
    [head.file, { role: 'head', sides: ['edge'] }],
    [tail.file, { role: 'tail', sides: tailSides }],
  ]);
  if (tail.externalData !== null) roles.set(tail.externalData.file, { role: 'data', sides: tailSides });
  // Where both name one file, the head's need counts.
  if (head.externalData !== null) {
    const isShared = head.externalData.file === tail.externalData?.file;
    roles.set(head.externalData.file, { role: 'data', sides: isShared ? BOTH : ['edge'] });
  }
  for (const name of names) if (name.endsWith('.klt')) roles.set(name, { role: 'table', sides: BOTH });
  requireFiles(roles.keys(), names, 'split.json');
  return { kind: 'split', entry: 'split.json', pair, roles };
}

function chainShape(json: unknown, names: ReadonlySet<string>): Shape {
  const manifest = parseChainManifest(json);
  const { segments, sharedData, chain } = manifest;
  const roles = new Map<string, { role: FileRole; sides: readonly Side[] }>([
    ['chain.json', { role: 'manifest', sides: BOTH }],
  ]);
  for (const { file, externalData } of segments) {
    roles.set(file, { role: 'segment', sides: BOTH });
    if (externalData !== null) roles.set(externalData.file, { role: 'data', sides: BOTH });
  }
  if (sharedData !== null) roles.set(sharedData.file, { role: 'data', sides: BOTH });
  for (const { file } of chainTableFiles(manifest)) roles.set(file, { role: 'table', sides: BOTH });
  requireFiles(roles.keys(), names, 'chain.json');
  return { kind: 'chain', entry: 'chain.json', pair: chain, roles };
}

function requireFiles(wanted: Iterable<string>, names: ReadonlySet<string>, manifest: string): void {
  for (const name of wanted) {
    if (!names.has(name)) throw new KerfError('FILE_NOT_FOUND', `${manifest} names '${name}', which is not beside it`);
  }
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', `'${path.basename(file)}' is not JSON`, { cause });
  }
}
