// One cut and two parts of the samples -> the codecs measured there, and the split with the best of them written.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSplitFolder } from '@kerf/edge-runtime/node';
import type { ModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  type CodecCalibration,
  KerfError,
  type LoadOptions,
  type SplitCodec,
  type TensorMap,
} from '@kerf/protocol';
import {
  type CalibrationRequest,
  type CutCalibration,
  calibrateCut,
  codecFiles,
  type LoadedSplit,
  type MeasuredCodec,
  runHead,
} from '@kerf/splitter';
import { checkSplitTarget, writeSplit, writeSplitCodec } from '@kerf/splitter/node';
import { VERSION } from '../command.ts';
import type { SampleSet } from '../samples/sample-set.ts';
import { type AnswerOptions, cutAnswers, KeptBytes } from './cut-answers.ts';
import { type CalibratedCut, calibratedCut } from './report.ts';

export interface SplitTask {
  readonly model: ModelFile;
  /** Null: `folder` holds a split already, which gets another codec. */
  readonly cut: readonly string[] | null;
  readonly folder: string;
  readonly force: boolean;
}

export interface SplitCalibration extends Omit<AnswerOptions, 'split'> {
  readonly backend: Backend;
  readonly load: LoadOptions;
  readonly parts: readonly [chosenOn: SampleSet, judgedOn: SampleSet];
  /** Inputs of a part in its usual pose. */
  readonly golden: TensorMap | null;
  readonly limits: Pick<
    CalibrationRequest,
    'maxLossPoints' | 'confidencePercent' | 'maxLevels' | 'maxBytes' | 'codec' | 'nonFinite'
  >;
  readonly onProgress: (text: string) => void;
}

/**
 * The folder is written at the end, whole, and only when a codec keeps the limits.
 * @throws {KerfError} FILE_EXISTS, PAIR_MISMATCH, CANCELLED, and what splitting, models and calibration throw.
 */
export async function calibrateSplit(task: SplitTask, options: SplitCalibration): Promise<CalibratedCut> {
  const { model, cut, folder, force } = task;
  if (cut === null) return await calibrateFolder(task, folder, options);
  await checkSplitTarget(model, folder, force);
  const draft = await mkdtemp(join(tmpdir(), 'kerf-calibrate-'));
  try {
    await writeSplit({ model, cut, folder: draft, backend: options.backend, createdBy: `kerf ${VERSION}` });
    return await calibrateFolder(task, draft, options);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function calibrateFolder(task: SplitTask, source: string, options: SplitCalibration): Promise<CalibratedCut> {
  const { backend, load } = options;
  const opened = await openSplitFolder(source, { backend, withTail: true, load });
  try {
    const { split, head, local } = opened;
    if (local === null || split.source.sha256 !== task.model.sha256) {
      throw new KerfError('PAIR_MISMATCH', `the split in ${task.folder} was made from another model; split this one`);
    }
    const result = await calibrateLoaded({ head, tail: local.tail, names: split }, options);
    if (result.best === null) return calibratedCut(split.cut, result, null);
    await writeBest(task, result, options);
    return calibratedCut(split.cut, result, task.folder);
  } finally {
    await opened.dispose();
  }
}

/** What is measured at the cut between the two; nothing is written. */
export async function calibrateLoaded(loaded: LoadedSplit, options: SplitCalibration): Promise<CutCalibration> {
  const { limits, onProgress, parts } = options;
  const budget = new KeptBytes();
  const chosenOn = cutAnswers(parts[0], { ...options, split: loaded }, budget);
  const judgedOn = cutAnswers(parts[1], { ...options, split: loaded }, budget);
  const golden = options.golden === null ? null : (await runHead(loaded, options.golden)).crossing;
  return await calibrateCut({ ...limits, chosenOn, judgedOn, golden, onProgress });
}

async function writeBest(
  { model, cut, folder, force }: SplitTask,
  result: CutCalibration,
  options: SplitCalibration,
): Promise<void> {
  const { best } = result;
  if (best === null) return;
  if (cut !== null) {
    await writeSplit({ model, cut, folder, force, backend: options.backend, createdBy: `kerf ${VERSION}` });
  }
  const { codec, tables } = bestCodec(best, result, options);
  await writeSplitCodec(folder, codec, tables);
}

/** As a manifest has it, with the level tables that go beside it. */
export function bestCodec(
  best: MeasuredCodec,
  result: CutCalibration,
  { limits }: SplitCalibration,
): { readonly codec: SplitCodec; readonly tables: ReadonlyMap<string, Uint8Array> } {
  const { tensors, tables } = codecFiles(best);
  const calibration = calibrationOf(best, result, limits.maxLossPoints);
  return { codec: { kind: 'coded', tensors, calibration }, tables };
}

function calibrationOf(
  best: MeasuredCodec,
  { metric, judgedOnSamples }: CutCalibration,
  maxLossPoints: number,
): CodecCalibration {
  const { loss, bitsPerValue, totalBytes } = best;
  return {
    metric,
    samples: judgedOnSamples,
    wholePoints: loss.wholePoints,
    lossPoints: loss.lossPoints,
    lossInterval: [loss.lossInterval.low, loss.lossInterval.high],
    maxLossPoints,
    bitsPerValue,
    bytesPerFrame: totalBytes,
  };
}
