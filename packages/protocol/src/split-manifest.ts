// split.json: what a split consists of, shared by the splitter that writes it and the two runtimes that read it.
import { KerfError } from './errors.ts';
import { ManifestFields, type SplitTensor } from './manifest-fields.ts';
import { parseSplitCodec, type SplitCodec } from './split-codec.ts';

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
  /** How the tensors of the cut are sent. Not part of `pair`: payloads name what they are coded with. */
  readonly codec: SplitCodec;
  readonly head: SplitPart;
  readonly tail: SplitPart;
  /** Hex SHA-256 over source, cut, head and tail: a head talks only to the tail of the same pair. */
  readonly pair: string;
  readonly createdBy: string;
}

const fields = new ManifestFields('split.json', 'split the model again');

/**
 * A checked manifest from parsed JSON; unknown keys are ignored.
 * @throws {KerfError} MANIFEST_INVALID naming the first field that is wrong.
 */
export function parseSplitManifest(json: unknown): SplitManifest {
  const root = fields.record(json, 'split.json');
  if (root['format'] !== SPLIT_FORMAT) throw fields.invalid('format', `'${SPLIT_FORMAT}'`);
  const names = (field: string): string[] => fields.names(root[field], field);
  const cut = names('cut');
  const manifest: SplitManifest = {
    format: SPLIT_FORMAT,
    source: fields.source(root['source']),
    cut,
    headInputs: names('headInputs'),
    headOutputs: names('headOutputs'),
    tailInputs: names('tailInputs'),
    tailOutputs: names('tailOutputs'),
    modelInputs: names('modelInputs'),
    modelOutputs: names('modelOutputs'),
    tensors: fields.list(root['tensors'], 'tensors').map((tensor) => fields.tensor(tensor)),
    codec: parseSplitCodec(root['codec'], cut, fields),
    head: part(root['head'], 'head'),
    tail: part(root['tail'], 'tail'),
    pair: fields.digest(root['pair'], 'pair'),
    createdBy: fields.text(root['createdBy'], 'createdBy'),
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

function part(value: unknown, field: string): SplitPart {
  const object = fields.record(value, field);
  return {
    ...fields.file(object, field),
    nodes: fields.size(object['nodes'], `${field}.nodes`),
    externalData: fields.optionalFile(object['externalData'], `${field}.externalData`),
  };
}
