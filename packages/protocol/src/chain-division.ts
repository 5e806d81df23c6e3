// The names of a chain and a place -> what head and tail take and give when the chain is divided there.
import { KerfError } from './errors.ts';
import type { SplitTensor } from './manifest-fields.ts';

/** Names that tell how segments fit together; a ChainManifest has them. */
export interface ChainNames {
  readonly segments: readonly { readonly inputs: readonly string[]; readonly outputs: readonly string[] }[];
  readonly cuts: readonly { readonly tensors: readonly string[] }[];
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly string[];
  readonly tensors: readonly SplitTensor[];
}

/** Names of head and tail where a chain is divided before segment `at`, as those of a split. */
export interface DivisionNames {
  readonly cut: readonly string[];
  readonly headInputs: readonly string[];
  readonly headOutputs: readonly string[];
  readonly tailInputs: readonly string[];
  readonly tailOutputs: readonly string[];
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly string[];
}

/**
 * What the segments [0, at) take and give, what crosses, and what the segments [at, count) take and give.
 * @param at 0: all behind; the number of segments: all before. @throws {KerfError} INVALID_ARGUMENT for any other.
 */
export function divisionNames(chain: ChainNames, at: number): DivisionNames {
  const { segments, cuts, modelInputs, modelOutputs } = chain;
  if (!Number.isInteger(at) || at < 0 || at > segments.length) {
    throw new KerfError('INVALID_ARGUMENT', `the chain has ${segments.length} segments: no division before ${at}`);
  }
  const [head, tail] = [segments.slice(0, at), segments.slice(at)];
  const cut = at === 0 ? takenBy(tail, modelInputs) : (cuts[at - 1]?.tensors ?? []);
  const wanted = new Set([...cut, ...modelOutputs]);
  return {
    cut,
    headInputs: takenBy(head, modelInputs),
    headOutputs: head.flatMap(({ outputs }) => outputs).filter((name) => wanted.has(name)),
    tailInputs: cut,
    tailOutputs: tail.flatMap(({ outputs }) => outputs).filter((name) => modelOutputs.includes(name)),
    modelInputs,
    modelOutputs,
  };
}

function takenBy(segments: ChainNames['segments'], modelInputs: readonly string[]): string[] {
  const taken = new Set(segments.flatMap(({ inputs }) => inputs));
  return modelInputs.filter((name) => taken.has(name));
}
