// golden.json beside a model -> samples, and whether a loaded model gets them right.
import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDType, KerfError, makeTensor, messageOf, type Tensor, type TensorMap } from '@kerf/protocol';
import { tensorsAgree } from './compare.ts';
import type { HostedModel } from './hosted-model.ts';
import type { HashedFile } from './jobs.ts';

export const GOLDEN_FORMAT = 'kerf-golden/1';

/** What a model gives for what. */
export interface GoldenSample {
  readonly inputs: TensorMap;
  readonly outputs: TensorMap;
}

export interface GoldenSamples {
  /** Largest difference of floats, absolute or relative to the value. */
  readonly tolerance: number;
  readonly samples: readonly GoldenSample[];
}

const MAX_SAMPLES = 64;
const MAX_TENSORS = 256;
/** Bytes of all tensors. */
const MAX_BYTES = 256 * 1024 * 1024;

/** @throws {KerfError} MANIFEST_INVALID when the file or a tensor that it names is not what it should be. */
export async function readGolden({ path, sha256 }: HashedFile): Promise<GoldenSamples> {
  const text = await readFile(path);
  if (createHash('sha256').update(text).digest('hex') !== sha256) throw invalid('it was changed while it was read');
  const root = object(parse(text.toString('utf8')), 'it');
  if (root['format'] !== GOLDEN_FORMAT) throw invalid(`'format' must be '${GOLDEN_FORMAT}'`);
  const tolerance = root['tolerance'];
  if (typeof tolerance !== 'number' || !(tolerance >= 0)) throw invalid("'tolerance' must be a number of at least 0");
  const listed = list(root['samples'], 'samples');
  if (listed.length === 0 || listed.length > MAX_SAMPLES) throw invalid(`'samples' must be 1 to ${MAX_SAMPLES}`);
  const folder = await realpath(dirname(path));
  const left = { bytes: MAX_BYTES, tensors: MAX_TENSORS };
  const samples: GoldenSample[] = [];
  for (const sample of listed) {
    const { inputs, outputs } = object(sample, 'samples');
    samples.push({
      inputs: await tensorsOf(inputs, 'inputs', folder, left),
      outputs: await tensorsOf(outputs, 'outputs', folder, left),
    });
  }
  return { tolerance, samples };
}

/** @returns what is wrong with the model's answers, or null. */
export async function goldenFault(model: HostedModel, { tolerance, samples }: GoldenSamples): Promise<string | null> {
  for (const [at, { inputs, outputs }] of samples.entries()) {
    const [outcome] = (await model.run([{ entry: 0, inputs }], null)).outcomes;
    if (outcome === undefined || 'error' in outcome) {
      return `golden sample ${at} cannot be run: ${messageOf(outcome?.error ?? 'no outcome')}`;
    }
    for (const [name, want] of outputs) {
      const got = outcome.outputs.get(name);
      if (got === undefined) return `golden sample ${at} has an output '${name}' that the model does not make`;
      if (!tensorsAgree(want, got, tolerance)) return `golden sample ${at} differs in output '${name}'`;
    }
  }
  return null;
}

async function tensorsOf(
  value: unknown,
  field: string,
  folder: string,
  left: { bytes: number; tensors: number },
): Promise<TensorMap> {
  const tensors = new Map<string, Tensor>();
  for (const entry of list(value, field)) {
    const { name, dtype, shape, file, sha256 } = object(entry, field);
    if (typeof name !== 'string' || !isDType(dtype)) throw invalid(`a tensor of '${field}' needs a name and a dtype`);
    if (typeof file !== 'string' || !/^[\w.-]+$/.test(file) || file.startsWith('.')) {
      throw invalid(`the file of '${name}' must be a plain name beside golden.json`);
    }
    if (left.tensors-- <= 0) throw invalid(`it names more than ${MAX_TENSORS} tensors`);
    const bytes = await bytesOf(join(folder, file), folder, name, left);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw invalid(`the file of '${name}' was changed`);
    const sizes = list(shape, 'shape').map(Number);
    tensors.set(name, makeTensor(dtype, sizes, new Uint8Array(bytes)));
  }
  return tensors;
}

async function bytesOf(path: string, folder: string, name: string, left: { bytes: number }): Promise<Buffer> {
  try {
    const real = await realpath(path);
    const { size } = await stat(real);
    left.bytes -= size;
    if (dirname(real) !== folder || left.bytes < 0) throw new RangeError('outside, or too large');
    return await readFile(real);
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', `golden.json: the file of '${name}' cannot be read, or is too large`, {
      cause,
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`'${field}' must be an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(`'${field}' must be a list`);
  return value;
}

function invalid(what: string): KerfError {
  return new KerfError('MANIFEST_INVALID', `golden.json: ${what}; write the golden samples again`);
}
