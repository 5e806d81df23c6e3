// A model file and a folder with its split -> the report of running whole against head then tail.

import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  type Clock,
  KerfError,
  type OptimizationLevel,
  type SplitCodec,
  systemClock,
  type TensorMap,
} from '@kerf/protocol';
import { expectation } from './expectation.ts';
import { openSplit } from './open-split.ts';
import { findInputs } from './sample-inputs.ts';
import { type DimensionBindings, mergeSpec } from './value-types.ts';
import { compareSplit, type VerifyReport } from './verify-split.ts';

export interface VerifySplitOptions {
  /** The whole model: a path, or one that is open already. */
  readonly model: string | ModelFile;
  readonly folder: string;
  readonly backend: Backend;
  /** @default 3 */
  readonly runs?: number;
  /** @default 1 */
  readonly seed?: number;
  /** The same for whole, head and tail. @default 'disabled' */
  readonly optimizationLevel?: OptimizationLevel;
  readonly dims?: DimensionBindings;
  readonly inputs?: TensorMap;
  /** @default the system clock */
  readonly clock?: Clock;
  /** Time for finding inputs that the model runs on. @default 30,000 */
  readonly timeoutMs?: number;
}

export interface VerifySplitReport extends VerifyReport {
  readonly optimizationLevel: OptimizationLevel;
  readonly backend: string;
  /** Codecs of what crosses that lose; the comparison is without them. */
  readonly lossyCodecs: readonly string[];
}

/**
 * Checks a split against the model it came from: files, hashes, names, then runs on the same inputs.
 * @throws {KerfError} PAIR_MISMATCH when the split came from another model, INVALID_ARGUMENT when no input runs, and
 * what opening and loading throw. A difference is a verdict, not an error.
 */
export async function verifySplit(options: VerifySplitOptions): Promise<VerifySplitReport> {
  const { backend, optimizationLevel = 'disabled' } = options;
  const model = typeof options.model === 'string' ? await openModelFile(options.model) : options.model;
  const split = await openSplit(options.folder);
  const { manifest } = split;
  if (manifest.source.sha256 !== model.sha256) {
    throw new KerfError(
      'PAIR_MISMATCH',
      `the split was made from another model than '${model.name}'; split the model again`,
    );
  }
  const load = { optimizationLevel };
  const whole = await backend.load({ path: model.path }, load);
  const loaded = [whole];
  try {
    const head = await backend.load({ path: split.head.path }, load);
    loaded.push(head);
    const tail = await backend.load({ path: split.tail.path }, load);
    loaded.push(tail);
    const sampler = await findInputs(whole, {
      specs: whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec)),
      dims: options.dims ?? {},
      inputs: options.inputs ?? new Map(),
      seed: options.seed ?? 1,
      clock: options.clock ?? systemClock,
      timeoutMs: options.timeoutMs ?? 30_000,
    });
    const report = await compareSplit({
      whole,
      head,
      tail,
      names: manifest,
      sampler,
      runs: options.runs ?? 3,
      expectation: expectation(model.graph, [...head.outputs, ...tail.inputs], backend.name, optimizationLevel),
    });
    return { ...report, optimizationLevel, backend: backend.name, lossyCodecs: lossyCodecs([manifest.codec]) };
  } finally {
    for (const one of loaded) await one.dispose();
  }
}

/** The kinds that lose, each once. */
export function lossyCodecs(codecs: readonly SplitCodec[]): string[] {
  const kinds = codecs.flatMap((one) => (one.kind === 'raw' ? [] : one.tensors.map(({ codec }) => codec.kind)));
  return [...new Set<string>(kinds)].filter((kind) => kind !== 'raw' && kind !== 'lossless');
}
