// split.json: what a split consists of, shared by the splitter that writes it and the two runtimes that read it.
import { KerfError } from './errors.ts';
import { type Dimension, type DType, isDType } from './tensor.ts';

export const SPLIT_FORMAT = 'kerf-split/1';

/** One emitted sub-model. */
export interface SplitPart {
  /** File name beside split.json. */
  readonly file: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  readonly bytes: number;
  /** Nodes that depend on an input; constant ones count for neither side. */
  readonly nodes: number;
  /** External data file beside it, or null. */
  readonly externalData: { readonly file: string; readonly sha256: string; readonly bytes: number } | null;
}

export interface SplitTensor {
  readonly name: string;
  /** Null when unknown; a tensor of the cut always has one. */
  readonly dtype: DType | null;
  /** Null when the rank is unknown; a dimension is a size, a symbol or null. */
  readonly shape: readonly Dimension[] | null;
}

export interface SplitManifest {
  readonly format: typeof SPLIT_FORMAT;
  /** The model that was cut. */
  readonly source: { readonly file: string; readonly sha256: string; readonly bytes: number };
  /** Tensors that cross: values of the head, and model inputs that the tail needs. */
  readonly cut: readonly string[];
  readonly headInputs: readonly string[];
  readonly headOutputs: readonly string[];
  readonly tailInputs: readonly string[];
  readonly tailOutputs: readonly string[];
  /** Model inputs and outputs in the order of the source model. */
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly string[];
  /** dtype and shape of every name above. */
  readonly tensors: readonly SplitTensor[];
  readonly codec: { readonly kind: 'raw' };
  readonly head: SplitPart;
  readonly tail: SplitPart;
  /** Hex SHA-256 over source, cut, head and tail: a head talks only to the tail of the same pair. */
  readonly pair: string;
  readonly createdBy: string;
}

/**
 * A checked manifest from parsed JSON; unknown keys are ignored.
 * @throws {KerfError} MANIFEST_INVALID naming the first field that is wrong.
 */
export function parseSplitManifest(json: unknown): SplitManifest {
  const root = record(json, 'split.json');
  if (root['format'] !== SPLIT_FORMAT) throw invalid('format', `'${SPLIT_FORMAT}'`);
  const source = record(root['source'], 'source');
  const codec = record(root['codec'], 'codec');
  if (codec['kind'] !== 'raw') throw invalid('codec.kind', "'raw'");
  const manifest: SplitManifest = {
    format: SPLIT_FORMAT,
    source: {
      file: text(source['file'], 'source.file'),
      sha256: digest(source['sha256'], 'source.sha256'),
      bytes: size(source['bytes'], 'source.bytes'),
    },
    cut: names(root['cut'], 'cut'),
    headInputs: names(root['headInputs'], 'headInputs'),
    headOutputs: names(root['headOutputs'], 'headOutputs'),
    tailInputs: names(root['tailInputs'], 'tailInputs'),
    tailOutputs: names(root['tailOutputs'], 'tailOutputs'),
    modelInputs: names(root['modelInputs'], 'modelInputs'),
    modelOutputs: names(root['modelOutputs'], 'modelOutputs'),
    tensors: list(root['tensors'], 'tensors').map(tensor),
    codec: { kind: 'raw' },
    head: part(root['head'], 'head'),
    tail: part(root['tail'], 'tail'),
    pair: digest(root['pair'], 'pair'),
    createdBy: text(root['createdBy'], 'createdBy'),
  };
  checkConsistency(manifest);
  return manifest;
}

/** The parts must fit together: every tail input is in the cut, and the cut comes from the head or the model inputs. */
function checkConsistency(manifest: SplitManifest): void {
  const cut = new Set(manifest.cut);
  const available = new Set([...manifest.headOutputs, ...manifest.modelInputs]);
  const stray = manifest.tailInputs.find((name) => !cut.has(name)) ?? manifest.cut.find((name) => !available.has(name));
  if (stray !== undefined) {
    throw new KerfError('MANIFEST_INVALID', `split.json: nothing on the head's side provides '${stray}'`);
  }
  const delivered = new Set([...manifest.headOutputs, ...manifest.tailOutputs, ...manifest.modelInputs]);
  const lost = manifest.modelOutputs.find((name) => !delivered.has(name));
  if (lost !== undefined) throw new KerfError('MANIFEST_INVALID', `split.json: no side delivers output '${lost}'`);
}

function invalid(field: string, wanted: string): KerfError {
  return new KerfError('MANIFEST_INVALID', `split.json: '${field}' must be ${wanted}; split the model again`);
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(field, 'an object');
  return value as Record<string, unknown>;
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(field, 'a list');
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalid(field, 'a string');
  return value;
}

function names(value: unknown, field: string): string[] {
  return list(value, field).map((name) => text(name, field));
}

function digest(value: unknown, field: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw invalid(field, 'a SHA-256 in hex');
  return value;
}

function size(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(field, 'a whole number');
  return value as number;
}

/** A file name beside split.json: never a path. */
function fileName(value: unknown, field: string): string {
  const name = text(value, field);
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) throw invalid(field, 'a plain file name');
  return name;
}

function part(value: unknown, field: string): SplitPart {
  const object = record(value, field);
  const external = object['externalData'] ?? null;
  const data = external === null ? null : record(external, `${field}.externalData`);
  return {
    file: fileName(object['file'], `${field}.file`),
    sha256: digest(object['sha256'], `${field}.sha256`),
    bytes: size(object['bytes'], `${field}.bytes`),
    nodes: size(object['nodes'], `${field}.nodes`),
    externalData: data && {
      file: fileName(data['file'], `${field}.externalData.file`),
      sha256: digest(data['sha256'], `${field}.externalData.sha256`),
      bytes: size(data['bytes'], `${field}.externalData.bytes`),
    },
  };
}

function tensor(value: unknown): SplitTensor {
  const object = record(value, 'tensors');
  const dtype = object['dtype'] ?? null;
  if (dtype !== null && !isDType(dtype)) throw invalid('tensors.dtype', 'a dtype or null');
  const shape = object['shape'] ?? null;
  return {
    name: text(object['name'], 'tensors.name'),
    dtype,
    shape: shape === null ? null : list(shape, 'tensors.shape').map(dimension),
  };
}

function dimension(value: unknown): Dimension {
  if (value === null || typeof value === 'string') return value;
  return size(value, 'tensors.shape');
}
