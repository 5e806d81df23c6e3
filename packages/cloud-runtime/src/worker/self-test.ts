// A model on the CPU provider -> samples that another provider is held against.
import {
  byteLengthOf,
  makeTensor,
  seededRandom,
  type Tensor,
  type TensorMap,
  type TensorSpec,
  typedView,
} from '@kerf/protocol';
import type { GoldenSamples } from './golden.ts';
import type { HostedModel } from './hosted-model.ts';

const SAMPLES = 2;
const SEED = 20_261;
/** Providers multiply in other orders and shorter formats (TF32); what is plainly wrong is far beyond this. */
const TOLERANCE = 0.02;

/** Null where the sizes of the inputs are open beyond their rows, or the model does not run on such inputs. */
export async function madeUpSamples(model: HostedModel): Promise<GoldenSamples | null> {
  const random = seededRandom(SEED);
  const samples: { inputs: TensorMap; outputs: TensorMap }[] = [];
  for (let count = 0; count < SAMPLES; count++) {
    const inputs = inputsOf(model.entries[0]?.inputs ?? [], random);
    if (inputs === null) return null;
    const [outcome] = (await model.run([{ entry: 0, inputs }], null)).outcomes;
    if (outcome === undefined || 'error' in outcome) return null;
    samples.push({ inputs, outputs: outcome.outputs });
  }
  return { tolerance: TOLERANCE, samples };
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
