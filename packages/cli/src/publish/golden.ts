// A model that is to be published, and samples -> golden samples: inputs with the outputs that they give here.
import { type GoldenClaim, type GoldenSample, goldenDistance, writeGoldenFile } from '@kerf/delta-sync';
import { openModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  DTYPE_BITS,
  KerfError,
  type LoadedModel,
  systemClock,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { findInputs, mergeSpec } from '@kerf/splitter';
import type { PictureOptions } from '../frame-input.ts';
import { loadSample } from '../samples/load-sample.ts';
import type { SampleSet } from '../samples/sample-set.ts';

export const GOLDEN_FILE = 'golden.kgs';

export interface GoldenRequest {
  /** The file that the device runs first: the model, a head, a first segment. */
  readonly modelPath: string;
  readonly backend: Backend;
  readonly count: number;
  /** Null: made-up inputs. */
  readonly samples: SampleSet | null;
  readonly pictures: PictureOptions;
  /** Part of a value, and of the largest value of the outputs, that another device may differ by. */
  readonly tolerance: number;
  readonly runtime: string;
}

/** @throws {KerfError} SAMPLES_UNUSABLE, MODEL_UNSUPPORTED when no input can be made up or no answer comes twice, BACKEND_FAILED. */
export async function makeGolden(request: GoldenRequest): Promise<{ bytes: Uint8Array; claim: GoldenClaim }> {
  const { modelPath, backend, count, tolerance, runtime } = request;
  const model = await openModelFile(modelPath);
  const loaded = await backend.load({ path: modelPath });
  try {
    const specs = loaded.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
    const inputs: TensorMap[] = [];
    if (request.samples === null) {
      const sampler = await findInputs(loaded, { specs, dims: {}, clock: systemClock });
      for (let at = 0; at < count; at++) inputs.push(sampler.sample(at));
    } else {
      const set = request.samples;
      for (const entry of set.entries.slice(0, count)) {
        inputs.push((await loadSample(set, entry, { specs, pictures: request.pictures })).inputs);
      }
    }
    const samples: GoldenSample[] = [];
    for (const one of inputs) samples.push({ inputs: one, outputs: await loaded.run(one) });
    const claim = {
      file: GOLDEN_FILE,
      samples: samples.length,
      madeBy: `${backend.name} ${runtime}`,
      absolute: absoluteFor(samples, tolerance),
      relative: tolerance,
    };
    await requireSteady(loaded, samples, claim);
    return { bytes: writeGoldenFile(samples), claim };
  } finally {
    await loaded.dispose();
  }
}

/** What another run of the first sample does not give, no device will give. */
async function requireSteady(
  model: LoadedModel,
  samples: readonly GoldenSample[],
  claim: Pick<GoldenClaim, 'absolute' | 'relative'>,
): Promise<void> {
  for (const { inputs, outputs } of samples.slice(0, 1)) {
    const again = await model.run(inputs);
    for (const [name, expected] of outputs) {
      if (goldenDistance(again, name, expected, claim) <= 1) continue;
      throw new KerfError(
        'MODEL_UNSUPPORTED',
        `the model gives another '${name}' each time it runs on the same input, so golden samples would fail on every device: ` +
          'export it for inference, without dropout and random nodes, or publish it with --golden 0',
      );
    }
  }
}

/** Small values may differ by as much as large ones do; a level of a quantised output by one. */
function absoluteFor(samples: readonly GoldenSample[], tolerance: number): number {
  let largest = 0;
  let isQuantised = false;
  for (const { outputs } of samples) {
    for (const tensor of outputs.values()) {
      if (tensor.dtype.startsWith('float')) {
        if (DTYPE_BITS[tensor.dtype] < 32) continue;
        for (const value of typedView(tensor) as Float32Array) largest = Math.max(largest, Math.abs(value) || 0);
      } else if (DTYPE_BITS[tensor.dtype] <= 8) isQuantised = true;
    }
  }
  return Math.max(tolerance * largest, tolerance * 1e-3, isQuantised ? 1 : 0);
}
