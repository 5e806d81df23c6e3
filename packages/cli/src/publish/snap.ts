// A trained model and the release before it -> the model on a grid around that release, coarse as the task allows.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SnapClaim, snapModel } from '@kerf/delta-sync';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError } from '@kerf/protocol';
import { type EvaluationOptions, mergeSpec } from '@kerf/splitter';
import { evaluateSamples } from '../evaluate/evaluate-samples.ts';
import { wholePlaced } from '../evaluate/placement.ts';
import type { PictureOptions } from '../frame-input.ts';
import type { SampleSet } from '../samples/sample-set.ts';

/** In root mean squares of each tensor's own change; the coarsest first: it costs the fewest bytes. */
export const AUTO_STEPS = [2, 1.4, 1, 0.7, 0.5, 0.35, 0.25, 0.1] as const;

export interface SnapRequest {
  readonly model: ModelFile;
  /** Bytes of the model of the release before, and that release's id. */
  readonly base: { readonly bytes: Uint8Array; readonly id: string };
  readonly step: number | 'auto';
  /** Points of the task's metric. */
  readonly maxLoss: number;
  /** Null: the loss is not measured, which `auto` needs. */
  readonly judge: {
    readonly set: SampleSet;
    readonly options: EvaluationOptions;
    readonly pictures: PictureOptions;
  } | null;
  readonly backend: Backend;
  /** Where the snapped model is written, under the model's name. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onStep: (what: string) => void;
}

export interface Snapped {
  readonly path: string;
  readonly claim: SnapClaim;
  /** What every step that was tried has lost. */
  readonly tried: readonly { readonly step: number; readonly lossPoints: number | null }[];
}

/** @throws {KerfError} SAMPLES_UNUSABLE when no step keeps the limit; MODEL_UNSUPPORTED for weights in data files. */
export async function snapForRelease(request: SnapRequest): Promise<Snapped> {
  const { model, base, step, maxLoss, folder, onStep } = request;
  const fresh = new Uint8Array(await readFile(model.path));
  const file = join(folder, model.name);
  const tried: { step: number; lossPoints: number | null }[] = [];
  for (const one of step === 'auto' ? AUTO_STEPS : [step]) {
    onStep(`snapping with a step of ${one}`);
    await writeFile(file, snapModel(base.bytes, fresh, one).bytes);
    const measured = await lossOf(request, file);
    tried.push({ step: one, lossPoints: measured?.lossPoints ?? null });
    if (measured !== null && measured.lossPoints > maxLoss) continue;
    const claim = {
      base: base.id,
      step: one,
      metric: measured?.metric ?? null,
      lossPoints: measured?.lossPoints ?? null,
    };
    return { path: file, claim, tried };
  }
  const losses = tried.map(({ step: one, lossPoints }) => `${(lossPoints ?? 0).toFixed(2)} at ${one}`).join(', ');
  throw new KerfError(
    'SAMPLES_UNUSABLE',
    `no step loses at most ${maxLoss} points (${losses}): allow more with --max-loss, or publish without --snap`,
    { details: { tried } },
  );
}

async function lossOf(
  { model, judge, backend, signal, onStep }: SnapRequest,
  file: string,
): Promise<{ readonly metric: string; readonly lossPoints: number } | null> {
  if (judge === null) return null;
  const placed = await wholePlaced(await openModelFile(file), backend, {});
  const reference = await wholePlaced(model, backend, {});
  try {
    const { loss } = await evaluateSamples({
      set: judge.set,
      specs: model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined)),
      pictures: judge.pictures,
      options: judge.options,
      placed,
      reference,
      signal,
      onProgress: (done, all) => {
        if (done % 100 === 0) onStep(`measuring the loss: ${done} of ${all} samples`);
      },
    });
    return loss;
  } finally {
    await placed.dispose();
    await reference.dispose();
  }
}
