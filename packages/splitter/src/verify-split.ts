// The whole model, head and tail -> how well head then tail equals the whole on the same inputs.
import { KerfError, type LoadedModel, type SplitManifest, type Tensor, type TensorMap } from '@kerf/protocol';
import { compareTensors, type Tolerance } from './compare-tensors.ts';
import type { Expectation } from './expectation.ts';
import type { Sampler } from './sample-inputs.ts';

/** Names that tell how the three models fit together; a SplitManifest or a CutPlan has them. */
export type SplitNames = Pick<
  SplitManifest,
  'cut' | 'headInputs' | 'headOutputs' | 'tailInputs' | 'tailOutputs' | 'modelInputs' | 'modelOutputs'
>;

export interface OutputDifference {
  readonly name: string;
  /** Runs in which every bit was equal. */
  readonly bitEqualRuns: number;
  readonly maxAbsolute: number;
  readonly maxRelative: number;
  readonly isWithin: boolean;
}

export interface VerifyReport {
  readonly runs: number;
  /** Runs in which every output was bit-equal. */
  readonly bitEqualRuns: number;
  readonly outputs: readonly OutputDifference[];
  readonly expected: 'bit-equal' | 'within tolerance';
  /** Why bit equality is not expected. */
  readonly reasons: readonly string[];
  readonly tolerance: Tolerance;
  /** `ok`: bit-equal or within tolerance. */
  readonly verdict: 'bit-equal' | 'within tolerance' | 'differs';
  /** Shapes of the inputs used. */
  readonly inputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
}

export interface CompareOptions {
  readonly whole: LoadedModel;
  readonly head: LoadedModel;
  readonly tail: LoadedModel;
  readonly names: SplitNames;
  readonly sampler: Sampler;
  readonly runs: number;
  readonly expectation: Expectation;
}

/**
 * Runs whole and head-then-tail on the same inputs and compares every model output.
 * @throws {KerfError} what the models throw, INVALID_ARGUMENT when `runs` is not a positive whole number.
 */
export async function compareSplit(options: CompareOptions): Promise<VerifyReport> {
  const { runs, names, sampler, expectation } = options;
  if (!Number.isInteger(runs) || runs < 1)
    throw new KerfError('INVALID_ARGUMENT', 'runs must be a whole number above 0');
  const outputs = new Map(names.modelOutputs.map((name) => [name, emptyDifference(name)]));
  let bitEqualRuns = 0;
  for (let run = 0; run < runs; run++) {
    const inputs = sampler.sample(run);
    const expected = run === 0 ? sampler.outputs : await options.whole.run(inputs);
    const actual = await runSplit(options, inputs);
    let isBitEqual = true;
    for (const [name, total] of outputs) {
      const next = added(total, expected.get(name) ?? inputs.get(name), actual.get(name), expectation.tolerance);
      isBitEqual &&= next.bitEqualRuns > total.bitEqualRuns;
      outputs.set(name, next);
    }
    if (isBitEqual) bitEqualRuns++;
  }
  const list = [...outputs.values()];
  return {
    runs,
    bitEqualRuns,
    outputs: list,
    expected: expectation.isBitEqual ? 'bit-equal' : 'within tolerance',
    reasons: expectation.reasons,
    tolerance: expectation.tolerance,
    verdict: bitEqualRuns === runs ? 'bit-equal' : list.every((one) => one.isWithin) ? 'within tolerance' : 'differs',
    inputs: [...sampler.sample(0)].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  };
}

/** Head and tail of one split. */
export interface LoadedSplit {
  readonly head: LoadedModel;
  readonly tail: LoadedModel;
  readonly names: SplitNames;
}

/**
 * One frame through head and tail.
 * @returns every model output: from the tail, else from the head, else the model input of that name.
 */
export async function runSplit(split: LoadedSplit, inputs: TensorMap): Promise<Map<string, Tensor>> {
  const front = await runHead(split, inputs);
  return await runTail(split, front, front.crossing);
}

/** What the device knows of a frame once the head has run. */
export interface SplitFront {
  readonly inputs: TensorMap;
  readonly made: TensorMap;
  /** What crosses: every input of the tail. */
  readonly crossing: TensorMap;
}

export async function runHead({ head, names }: LoadedSplit, inputs: TensorMap): Promise<SplitFront> {
  const made = await head.run(pick(inputs, names.headInputs));
  return { inputs, made, crossing: pick(new Map([...inputs, ...made]), names.tailInputs) };
}

/** @param arrived the tensors of `crossing`, as the tail gets them @returns as {@link runSplit}. */
export async function runTail(
  { tail, names }: LoadedSplit,
  { inputs, made }: Pick<SplitFront, 'inputs' | 'made'>,
  arrived: TensorMap,
): Promise<Map<string, Tensor>> {
  const results = await tail.run(arrived);
  return pick(new Map([...inputs, ...made, ...results]), names.modelOutputs);
}

function pick(from: TensorMap, names: readonly string[]): Map<string, Tensor> {
  const picked = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = from.get(name);
    if (tensor !== undefined) picked.set(name, tensor);
  }
  return picked;
}

function emptyDifference(name: string): OutputDifference {
  return { name, bitEqualRuns: 0, maxAbsolute: 0, maxRelative: 0, isWithin: true };
}

function added(
  total: OutputDifference,
  expected: Tensor | undefined,
  actual: Tensor | undefined,
  tolerance: Tolerance,
): OutputDifference {
  // An optional output that neither gives is the same on both sides; one that only one gives is not.
  if (expected === undefined && actual === undefined) return { ...total, bitEqualRuns: total.bitEqualRuns + 1 };
  if (expected === undefined || actual === undefined) {
    return { ...total, maxAbsolute: Number.POSITIVE_INFINITY, isWithin: false };
  }
  const difference = compareTensors(expected, actual, tolerance);
  return {
    name: total.name,
    bitEqualRuns: total.bitEqualRuns + (difference.isBitEqual ? 1 : 0),
    maxAbsolute: Math.max(total.maxAbsolute, difference.maxAbsolute),
    maxRelative: Math.max(total.maxRelative, difference.maxRelative),
    isWithin: total.isWithin && difference.isWithin,
  };
}
