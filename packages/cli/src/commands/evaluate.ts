// `kerf evaluate`: how well a model does its task on samples with labels, at any placement and with any codec.
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import type { Backend } from '@kerf/protocol';
import { HAND_CODECS, mergeSpec } from '@kerf/splitter';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { CASCADE_OPTIONS, Cascade } from '../evaluate/cascade.ts';
import { evaluateSamples } from '../evaluate/evaluate-samples.ts';
import { evaluationText } from '../evaluate/evaluation-text.ts';
import { pictureCoding } from '../evaluate/picture-coding-option.ts';
import { cloudPlaced, type Placed, splitPlaced, wholePlaced } from '../evaluate/placement.ts';
import type { EvaluationReport } from '../evaluate/report.ts';
import { TASK_OPTIONS, THRESHOLD_OPTIONS, taskOptions, verdictThresholds } from '../evaluate/task-options.ts';
import { PICTURE_OPTIONS, pictureOptions } from '../frame-input.ts';
import { interruptible } from '../interruption.ts';
import { openNamedModel, withCpu } from '../model-options.ts';
import { checkTensorSamples } from '../samples/check-tensors.ts';
import { namedSamples, SAMPLE_OPTIONS } from '../samples/sample-options.ts';
import { sampleProgress } from '../samples/sample-progress.ts';

export const evaluate: Command = {
  name: 'evaluate',
  usage: 'MODEL --samples DIR [OPTIONS]',
  summary:
    'Runs a model on samples with labels and says how well it does: pixel IoU and AUROC, image AUROC, accuracy or ' +
    'character accuracy, and escape, overkill and review rates at two thresholds, all with 95 % intervals. With --split ' +
    'or --input-format, as that placement would answer, and what it costs against the whole model.',
  positionals: [1, 1],
  isolated: true,
  options: {
    ...SAMPLE_OPTIONS,
    ...PICTURE_OPTIONS,
    ...TASK_OPTIONS,
    ...THRESHOLD_OPTIONS,
    split: { type: 'string', value: 'DIR', help: 'run a split of the model, activations coded as its split.json says' },
    codec: { type: 'string', value: 'NAME', help: `with --split, another codec: ${HAND_CODECS.join(', ')}` },
    'max-bytes': { type: 'string', value: 'N', help: 'with --split, bytes of a tensor at most; levels are cut short' },
    'non-finite': {
      type: 'string',
      value: 'WAY',
      help: 'with --split, NaN and infinity: lossless or refuse (default lossless)',
    },
    'input-format': {
      type: 'string',
      value: 'FORMAT',
      help: 'cloud alone, the picture sent as png, jpeg:QUALITY, webp:QUALITY or webp:lossless',
    },
    ...CASCADE_OPTIONS,
    against: { type: 'string', value: 'MODEL', help: 'compare with this model on the same samples' },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'Loss is paired: both answer the same samples. With --split or --input-format it is against MODEL unless --against ' +
    'names another.',
  async run(line, io) {
    checkOptions(line);
    const model = await openNamedModel(line);
    const report = await withCpu((backend) => evaluation(line, model, backend));
    if (line.flag('json')) io.print(JSON.stringify(report));
    else print(report, io);
    return 0;
  },
};

function print(report: EvaluationReport, io: Io): void {
  for (const text of evaluationText(report)) io.print(text);
}

/** @throws {KerfError} INVALID_ARGUMENT. */
function checkOptions(line: CommandLine): void {
  const isSplit = line.text('split') !== undefined;
  if (isSplit && line.text('input-format') !== undefined) {
    throw usageError('--split sends activations and --input-format sends the picture: choose one');
  }
  const stray = ['codec', 'max-bytes', 'non-finite'].find((name) => !isSplit && line.text(name) !== undefined);
  if (stray !== undefined) throw usageError(`--${stray} is for --split DIR: without a split nothing is coded`);
}

async function evaluation(line: CommandLine, model: ModelFile, backend: Backend): Promise<EvaluationReport> {
  const specs = model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined));
  const set = await namedSamples(line, specs);
  const options = { ...(await taskOptions(line, model, set)), thresholds: verdictThresholds(line, model) };
  const reference = await referenceModel(line, model);
  if ((options.kind === 'none' || options.kind === 'boxes') && reference === null) {
    throw usageError('there are no labels to go by: --against MODEL says what the outputs are compared with');
  }
  await checkTensorSamples(set, { specs, pictures: pictureOptions(line) });
  const placed = await placedBy(line, model, backend);
  let whole: Placed | null = null;
  let cascade: Cascade | null = null;
  try {
    cascade = await Cascade.open(line, model, backend, loading(line));
    if (reference !== null) whole = await wholePlaced(reference, backend, loading(line));
    const { report, loss } = await interruptible((signal) =>
      evaluateSamples({
        set,
        specs,
        pictures: pictureOptions(line),
        options,
        placed,
        reference: whole,
        cascade,
        signal,
        onProgress: sampleProgress(!line.flag('json')),
      }),
    );
    return {
      model: { file: model.name, sha256: model.sha256 },
      placement: placed.label,
      samples: { folder: set.folder, seed: line.number('seed', 1) },
      task: report,
      traffic: placed.traffic(),
      cascade: cascade?.report() ?? null,
      against:
        loss === null || reference === null
          ? null
          : { ...loss, model: { file: reference.name, sha256: reference.sha256 } },
    };
  } finally {
    await placed.dispose();
    await whole?.dispose();
    await cascade?.dispose();
  }
}

/** What the loss is measured against; null where the model itself is evaluated and nothing else was named. */
async function referenceModel(line: CommandLine, model: ModelFile): Promise<ModelFile | null> {
  const against = line.text('against');
  if (against !== undefined) return await openModelFile(against);
  return line.text('split') === undefined && line.text('input-format') === undefined ? null : model;
}

function placedBy(line: CommandLine, model: ModelFile, backend: Backend): Promise<Placed> {
  const folder = line.text('split');
  const format = line.text('input-format');
  if (format !== undefined) return cloudPlaced(model, backend, loading(line), pictureCoding('input-format', format));
  if (folder === undefined) return wholePlaced(model, backend, loading(line));
  return splitPlaced(model, backend, loading(line), {
    folder,
    codec: line.text('codec') === undefined ? null : line.choice('codec', HAND_CODECS, 'raw'),
    nonFinite: line.choice('non-finite', ['lossless', 'refuse'] as const, 'lossless'),
    maxBytes: line.text('max-bytes') === undefined ? null : line.number('max-bytes', 0, { least: 1 }),
  });
}

function loading(line: CommandLine): { threads: number } {
  return { threads: line.number('threads', 1, { least: 1, most: 256 }) };
}
