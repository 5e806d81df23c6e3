// A loaded model -> inputs that it runs on: seeded random values in shapes that were tried out.
import {
  type Clock,
  checkTensor,
  KerfError,
  type LoadedModel,
  messageOf,
  seededRandom,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import { candidateShapes, type InputShapes } from './sample-shapes.ts';
import { INTEGER_MODES, type IntegerMode, sampleTensor } from './sample-tensor.ts';
import type { DimensionBindings } from './value-types.ts';

export interface SampleOptions {
  /** Specs of the inputs where the model file knows more than the runtime (scalars). @default the runtime's */
  readonly specs?: readonly TensorSpec[];
  readonly dims?: DimensionBindings;
  /** Inputs that are given; the others are made up. */
  readonly inputs?: TensorMap;
  /** @default 1 */
  readonly seed?: number;
  readonly clock: Clock;
  /** Time for trying shapes out. @default 30,000 */
  readonly timeoutMs?: number;
}

/** A way to make inputs that the model was seen to run on. */
export interface Sampler {
  readonly shapes: InputShapes;
  /** The outputs of the run that succeeded, with the inputs of `sample(0)`. */
  readonly outputs: TensorMap;
  /** The inputs of run `index`: other values in the same shapes. */
  sample(index: number): Map<string, Tensor>;
}

/** Tries that are cheap need a bound too. */
const MAX_TRIES = 2000;

/**
 * Finds inputs by running the model until a run succeeds.
 * @throws {KerfError} INVALID_ARGUMENT when no candidate runs (the message says to give dimensions or inputs) or `dims`
 * names an unknown one, MODEL_UNSUPPORTED for an input that is no tensor, TENSOR_MISMATCH for a given input that does not fit.
 */
export async function findInputs(model: LoadedModel, options: SampleOptions): Promise<Sampler> {
  const { inputs: given = new Map<string, Tensor>(), seed = 1, clock, timeoutMs = 30_000 } = options;
  const declared = options.specs ?? model.inputs;
  checkGiven(declared, given);
  const specs = declared.map((spec) => withGivenShape(spec, given.get(spec.name)));
  const sequence = specs.find((spec) => spec.dtype === null && !given.has(spec.name));
  if (sequence !== undefined) {
    throw new KerfError(
      'MODEL_UNSUPPORTED',
      `the input '${sequence.name}' is not a tensor of a type that can be made up`,
    );
  }
  const hasForeignOutput = model.outputs.some((spec) => spec.dtype === null);
  const open = specs.filter((spec) => !given.has(spec.name));
  const startMs = clock.nowMs();
  const modes = open.some((spec) => isInteger(spec)) ? INTEGER_MODES : INTEGER_MODES.slice(0, 1);
  let reason: unknown;
  let tries = 0;
  for (const mode of modes) {
    for (const shapes of candidateShapes(open, bindingsOf(options.dims ?? {}, declared, open))) {
      if (++tries > MAX_TRIES || (tries > 1 && clock.nowMs() - startMs > timeoutMs)) throw noneRan(reason);
      const sample = (index: number): Map<string, Tensor> => makeInputs(specs, shapes, given, mode, seed + index);
      try {
        return { shapes, outputs: await model.run(sample(0)), sample };
      } catch (error) {
        reason ??= error;
        if (!KerfError.is(error) || error.code === 'CLOSED') throw error;
        // Other inputs would not help a model with an output that the runtime cannot hand out; it says which.
        if (hasForeignOutput) throw new KerfError('MODEL_UNSUPPORTED', error.message, { cause: error });
      }
      if (open.length === 0) throw noneRan(reason);
    }
  }
  throw noneRan(reason);
}

/** @throws {KerfError} TENSOR_MISMATCH for a tensor that is no input or does not fit it. */
function checkGiven(specs: readonly TensorSpec[], given: TensorMap): void {
  for (const [name, tensor] of given) {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      const known = specs.map((candidate) => `'${candidate.name}'`).join(', ');
      throw new KerfError('TENSOR_MISMATCH', `tensor '${name}' is not an input; the inputs are ${known}`);
    }
    checkTensor(tensor, spec);
  }
}

function noneRan(reason: unknown): KerfError {
  return new KerfError(
    'INVALID_ARGUMENT',
    `no made-up input runs; give its dimensions or real inputs. First reason: ${messageOf(reason)}`,
    { cause: reason },
  );
}

/** Bindings for dimensions that only given inputs have are fulfilled already. */
function bindingsOf(
  dims: DimensionBindings,
  all: readonly TensorSpec[],
  open: readonly TensorSpec[],
): DimensionBindings {
  const symbols = (specs: readonly TensorSpec[]): Set<unknown> => new Set(specs.flatMap((spec) => spec.shape ?? []));
  const [known, needed] = [symbols(all), symbols(open)];
  return Object.fromEntries(Object.entries(dims).filter(([name]) => needed.has(name) || !known.has(name)));
}

function withGivenShape(spec: TensorSpec, tensor: Tensor | undefined): TensorSpec {
  return tensor === undefined ? spec : { ...spec, shape: tensor.shape };
}

function isInteger(spec: TensorSpec): boolean {
  return spec.dtype !== null && /^u?int/.test(spec.dtype);
}

function makeInputs(
  specs: readonly TensorSpec[],
  shapes: InputShapes,
  given: TensorMap,
  mode: IntegerMode,
  seed: number,
): Map<string, Tensor> {
  const random = seededRandom(seed);
  const inputs = new Map<string, Tensor>();
  for (const spec of specs) {
    const tensor = given.get(spec.name);
    if (tensor !== undefined) inputs.set(spec.name, tensor);
    else if (spec.dtype !== null) {
      inputs.set(spec.name, sampleTensor(spec.name, spec.dtype, shapes.get(spec.name) ?? [], random, mode));
    }
  }
  return inputs;
}
