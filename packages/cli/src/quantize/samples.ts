// The command line's samples, or made-up inputs -> what the model is calibrated on and what the loss is measured on.
import type { ModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError, systemClock, type TensorMap } from '@kerf/protocol';
import {
  type DimensionBindings,
  findInputs,
  type JudgedSample,
  mergeSpec,
  metricFor,
  type TallyMetric,
} from '@kerf/splitter';
import { type CommandLine, usageError } from '../command.ts';
import { taskOptions } from '../evaluate/task-options.ts';
import { pictureOptions } from '../frame-input.ts';
import { checkInterrupted } from '../interruption.ts';
import { dimensions } from '../model-options.ts';
import { checkTensorSamples } from '../samples/check-tensors.ts';
import { chooseSamples, halves, requireSamples } from '../samples/choose-samples.ts';
import { findSamples } from '../samples/find-samples.ts';
import { loadSample } from '../samples/load-sample.ts';
import { namedSamples } from '../samples/sample-options.ts';
import type { SampleSet } from '../samples/sample-set.ts';

export interface QuantizeSamples {
  readonly calibration: readonly JudgedSample[];
  readonly test: readonly JudgedSample[];
  readonly metric: TallyMetric;
  /** Where the test samples come from, for people. */
  readonly source: string;
  /** Values were made up: they say little of what the model will see. */
  readonly madeUp: boolean;
}

/** What is held in memory of each of the two sets. */
const MAX_HELD_BYTES = 512 * 2 ** 20;
const MOST_CALIBRATION = 128;
const MOST_TEST = 400;
/** Fewer say nothing of the range that values have. */
const LEAST_CALIBRATION = 8;
const MADE_UP = 8;

/** @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND, SAMPLES_UNUSABLE saying how many are needed. */
export async function quantizeSamples(
  line: CommandLine,
  model: ModelFile,
  backend: Backend,
  { needed, signal }: { readonly needed: string | null; readonly signal: AbortSignal },
): Promise<QuantizeSamples> {
  if (line.text('samples') === undefined) {
    if (line.text('test') !== undefined) throw usageError('--test is beside --samples DIR, which calibrates');
    if (needed !== null) throw usageError(`--samples DIR is needed: ${needed}`);
    return await madeUpSamples(model, backend, dimensions(line));
  }
  const specs = model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined));
  const named = await namedSamples(line, specs);
  const [first, second] = line.text('test') === undefined ? halves(named) : [named, await testSet(line, specs, named)];
  requireSamples(first, LEAST_CALIBRATION, 'calibration');
  requireSamples(second, 1, 'measuring the loss');
  const task = await taskOptions(line, model, second);
  const hasLabels = task.kind !== 'defect' || second.hasMasks;
  const options = { specs, pictures: pictureOptions(line) };
  const load = async (set: SampleSet, most: number): Promise<JudgedSample[]> => {
    const held: JudgedSample[] = [];
    let bytes = 0;
    const chosen = chooseSamples(set, most);
    await checkTensorSamples(chosen, options);
    for (const entry of chosen.entries) {
      await checkInterrupted(signal, 'quantisation');
      const sample = await loadSample(set, entry, options);
      held.push(sample);
      for (const { data } of sample.inputs.values()) bytes += data.byteLength;
      if (bytes > MAX_HELD_BYTES) break;
    }
    return held;
  };
  return {
    calibration: await load(first, MOST_CALIBRATION),
    test: await load(second, MOST_TEST),
    metric: metricFor(hasLabels ? task.kind : 'none', hasLabels ? task : {}),
    source: second.folder,
    madeUp: false,
  };
}

async function testSet(
  line: CommandLine,
  specs: readonly { readonly name: string }[],
  named: SampleSet,
): Promise<SampleSet> {
  const set = await findSamples(line.required('test'), { inputNames: specs.map(({ name }) => name), task: named.kind });
  return chooseSamples(set, line.number('limit', MOST_TEST, { least: 1 }), line.number('seed', 1));
}

async function madeUpSamples(model: ModelFile, backend: Backend, dims: DimensionBindings): Promise<QuantizeSamples> {
  const whole = await backend.load({ path: model.path }, { optimizationLevel: 'basic' });
  try {
    const specs = whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
    const sampler = await findInputs(whole, { specs, dims, clock: systemClock });
    const sample = (index: number): { inputs: TensorMap; label: null } => ({
      inputs: sampler.sample(index),
      label: null,
    });
    const samples = Array.from({ length: MADE_UP }, (_, index) => sample(index));
    return { calibration: samples, test: samples, metric: metricFor('none'), source: 'made-up values', madeUp: true };
  } catch (cause) {
    throw KerfError.from(cause, 'INVALID_ARGUMENT', 'no made-up input runs: give --samples DIR or --dim NAME=N');
  } finally {
    await whole.dispose();
  }
}
