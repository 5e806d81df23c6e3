// Samples, a placement and what it is compared with -> the report of both on the same samples.
import type { TensorMap, TensorSpec } from '@kerf/protocol';
import { Evaluation, type EvaluationOptions, type PairedLoss, pairedLoss, type TaskReport } from '@kerf/splitter';
import type { PictureOptions } from '../frame-input.ts';
import { checkInterrupted } from '../interruption.ts';
import { loadSample } from '../samples/load-sample.ts';
import type { SampleSet } from '../samples/sample-set.ts';
import type { Cascade } from './cascade.ts';
import type { Placed } from './placement.ts';

export interface EvaluateRequest {
  readonly set: SampleSet;
  readonly specs: readonly TensorSpec[];
  readonly pictures: PictureOptions;
  readonly options: EvaluationOptions;
  readonly placed: Placed;
  /** The whole model on the inputs as they are; null: nothing to compare with. */
  readonly reference: Placed | null;
  /** A smaller model that is asked first. */
  readonly cascade?: Cascade | null;
  readonly signal: AbortSignal;
  onProgress(done: number, all: number): void;
}

export interface Evaluated {
  readonly report: TaskReport;
  readonly loss: (PairedLoss & { readonly metric: string }) | null;
}

/** @throws {KerfError} CANCELLED, SAMPLES_UNUSABLE, and what models and metrics throw. */
export async function evaluateSamples(request: EvaluateRequest): Promise<Evaluated> {
  const { set, specs, pictures, options, placed, reference } = request;
  const { recode } = placed;
  const evaluation = new Evaluation(options);
  const whole = new Evaluation(options);
  for (const [at, entry] of set.entries.entries()) {
    await checkInterrupted(request.signal, 'the evaluation');
    request.onProgress(at, set.entries.length);
    const sample = await loadSample(set, entry, { specs, pictures });
    const arrived = recode === null ? sample : await loadSample(set, entry, { specs, pictures, recode });
    const expected = reference === null ? null : await reference.answer(sample.inputs);
    const outputs: TensorMap = await placed.answer(arrived.inputs);
    evaluation.add({ label: sample.label, outputs }, entry.group, expected);
    await request.cascade?.add(sample.label, sample.inputs, outputs);
    if (expected !== null) whole.add({ label: sample.label, outputs: expected }, entry.group, expected);
  }
  return {
    report: evaluation.report(),
    loss:
      reference === null
        ? null
        : { metric: evaluation.metric.name, ...pairedLoss(evaluation.metric, whole.tallies, evaluation.tallies) },
  };
}
