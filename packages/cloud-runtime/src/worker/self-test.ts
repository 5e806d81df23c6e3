// A model on the CPU provider and on another one -> is the other one plainly wrong?
import {
  byteLengthOf,
  KerfError,
  makeTensor,
  meanDistance,
  seededRandom,
  type Tensor,
  type TensorMap,
  type TensorSpec,
  typedView,
} from '@kerf/protocol';
import type { HostedModel } from './hosted-model.ts';

const SAMPLES = 2;
const SEED = 20_261;
/** Mean distance, as a share of an output's range. Providers multiply in other orders and shorter formats (TF32). */
const ALLOWED = 0.01;
/** An input changed by so much, relatively, as TF32 changes it: 10 bits of fraction. */
const NUDGE = 2 ** -10;
/** Rounding happens at every layer; the nudge at the first one only. */
const MARGIN = 4;

/**
 * Runs made-up inputs on both. A provider rounds otherwise than the CPU, and where a model chooses (TopK, ArgMax, suppression of
 * boxes) a change of the last bits changes what is chosen; so an output may be off as far as one percent of its range, or four
 * times as far as the CPU's own answer moves when its input is nudged.
 * @returns what is wrong, or null; null too where the sizes of the inputs are open beyond their rows, or the CPU does not run
 * the model on such inputs.
 * @throws {KerfError} BACKEND_FAILED when the model does not run.
 */
export async function madeUpFault(model: HostedModel, cpu: HostedModel): Promise<string | null> {
  const random = seededRandom(SEED);
  for (let sample = 0; sample < SAMPLES; sample++) {
    const inputs = inputsOf(cpu.entries[0]?.inputs ?? [], random);
    if (inputs === null) return null;
    const [expected, nudged] = await Promise.all([inputs, nudge(inputs, random)].map((one) => run(cpu, one))).catch(
      () => [],
    );
    if (expected === undefined || nudged === undefined) return null;
    const found = await run(model, inputs);
    for (const [name, want] of expected) {
      const got = found.get(name);
      const own = nudged.get(name);
      const off = got === undefined ? Number.POSITIVE_INFINITY : meanDistance(want, got);
      const moved = own === undefined ? 0 : meanDistance(want, own);
      if (off > Math.max(ALLOWED, Number.isFinite(moved) ? MARGIN * moved : 0)) {
        return `output '${name}' is off the CPU provider's by ${percent(off)} of its range, on inputs made up`;
      }
    }
  }
  return null;
}

async function run(model: HostedModel, inputs: TensorMap): Promise<TensorMap> {
  const [outcome] = (await model.run([{ entry: 0, inputs }], null)).outcomes;
  if (outcome === undefined || 'error' in outcome) {
    throw KerfError.from(outcome?.error, 'BACKEND_FAILED', 'the model did not run on inputs made up');
  }
  return outcome.outputs;
}

function nudge(inputs: TensorMap, random: () => number): TensorMap {
  return new Map(
    [...inputs].map(([name, tensor]) => {
      if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') return [name, tensor];
      const changed = makeTensor(tensor.dtype, tensor.shape, tensor.data.slice());
      const values = typedView(changed) as Float32Array | Float64Array;
      for (const at of values.keys()) values[at] = (values[at] as number) * (1 + NUDGE * (2 * random() - 1));
      return [name, changed];
    }),
  );
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toPrecision(2)} %` : 'more than all';
}

/** Floats from 0 to 1; everything else zero, which is a valid index and a valid flag. */
function inputsOf(specs: readonly TensorSpec[], random: () => number): TensorMap | null {
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape } of specs) {
    if (dtype === null || dtype === 'string' || shape === null) return null;
    const sizes = shape.map((size, axis) => (axis === 0 && typeof size !== 'number' ? 1 : size));
    if (!sizes.every((size) => typeof size === 'number')) return null;
    const tensor = makeTensor(dtype, sizes, new Uint8Array(byteLengthOf(dtype, sizes)));
    if (dtype === 'float32' || dtype === 'float64') {
      const values = typedView(tensor) as Float32Array | Float64Array;
      for (const at of values.keys()) values[at] = random();
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
