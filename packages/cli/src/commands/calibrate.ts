// `kerf calibrate`: the smallest codec at a cut that costs the task no more than is allowed, measured on samples.
import { join } from 'node:path';
import type { ModelFile } from '@kerf/onnx/node';
import type { Backend, TensorSpec } from '@kerf/protocol';
import { DEFAULT_CONFIDENCE_PERCENT, LEAST_SAMPLES, lossMetric, mergeSpec } from '@kerf/splitter';
import { readManifestFile } from '@kerf/splitter/node';
import { calibrateChain } from '../calibrate/calibrate-chain.ts';
import { calibrateSplit, type SplitCalibration, type SplitTask } from '../calibrate/calibrate-split.ts';
import { calibrationText } from '../calibrate/calibration-text.ts';
import { chosenCuts } from '../calibrate/choose-cuts.ts';
import { addCodecs, readCodecs } from '../calibrate/codecs-file.ts';
import type { CalibratedCut, CalibrationReport } from '../calibrate/report.ts';
import { type Command, type CommandLine, usageError } from '../command.ts';
import { TASK_OPTIONS, taskOptions } from '../evaluate/task-options.ts';
import { PICTURE_OPTIONS, pictureOptions, readFrame } from '../frame-input.ts';
import { interruptible } from '../interruption.ts';
import { openNamedModel, withCpu } from '../model-options.ts';
import { progressTo } from '../profile/progress.ts';
import { checkTensorSamples } from '../samples/check-tensors.ts';
import { requireSamples, thirds } from '../samples/choose-samples.ts';
import { loadSample } from '../samples/load-sample.ts';
import { namedSamples, SAMPLE_OPTIONS } from '../samples/sample-options.ts';
import type { SampleSet } from '../samples/sample-set.ts';
import { byteSize } from '../units.ts';

const CODECS = ['auto', 'levels', 'lossless', 'float16', 'uint8', 'uint8-channel'] as const;
/** Two thirds of it are enough to show half a point of accuracy. */
const DEFAULT_LIMIT = 820;

export const calibrate: Command = {
  name: 'calibrate',
  usage: 'MODEL (--at CUT --out DIR | --split DIR | --chain DIR) --samples DIR [OPTIONS]',
  summary:
    'Finds the smallest codec for what crosses at a cut: the activation in a few levels for each channel, or one of the ' +
    'plain codecs, whichever is smallest and costs the task no more than --max-loss. Codecs are chosen on a third of ' +
    'the samples; the others must show, at --confidence, that the limit is kept. Writes the split with the codec and its tables.',
  positionals: [1, 1],
  isolated: true,
  options: {
    at: {
      type: 'string',
      multiple: true,
      value: 'CUT',
      help: 'tensors of a cut, with commas between, or auto; each --at is one cut',
    },
    split: { type: 'string', value: 'DIR', help: 'a split that is there: its codec is replaced' },
    chain: { type: 'string', value: 'DIR', help: 'a chain that is there: every cut of it gets a codec' },
    out: { type: 'string', value: 'DIR', help: 'folder for the split; for several cuts, a folder in it for each' },
    force: { type: 'boolean', help: 'write into a folder that holds other files' },
    ...SAMPLE_OPTIONS,
    limit: {
      type: 'string',
      value: 'N',
      help: `take at most N samples, shares of classes kept (default ${DEFAULT_LIMIT})`,
    },
    ...PICTURE_OPTIONS,
    ...TASK_OPTIONS,
    'max-loss': { type: 'string', value: 'POINTS', help: 'points of the metric that the codec may cost (default 0.5)' },
    confidence: {
      type: 'string',
      value: 'PERCENT',
      help: 'how sure it must be that the loss is within --max-loss, 50 to 99.9 (default 95)',
    },
    'max-bytes': { type: 'string', value: 'SIZE', help: 'bytes of a frame at most, on average' },
    codec: { type: 'string', value: 'NAME', help: `${CODECS.join(', ')} (default auto)` },
    levels: { type: 'string', value: 'N', help: 'levels of a channel at most (default 64)' },
    golden: {
      type: 'string',
      value: 'FILE',
      help: 'a good part in its usual pose: frames that resemble it get smaller',
    },
    'non-finite': {
      type: 'string',
      value: 'WAY',
      help: 'samples with NaN or infinity: lossless or refuse (default lossless)',
    },
    codecs: { type: 'string', value: 'FILE', help: 'add what was measured to this file, for kerf plan --codecs' },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: `At least ${2 * LEAST_SAMPLES} samples are needed, and as many more as it takes to show the limit: hundreds for half a point. Exit status 1 when no codec keeps the limits at some cut.`,
  async run(line, io) {
    const request = requestOf(line);
    const known = request.codecs === null ? null : await readCodecs(request.codecs);
    const model = await openNamedModel(line);
    const report = await withCpu((backend) => calibration(line, request, model, backend));
    if (request.codecs !== null) await addCodecs(request.codecs, known, report);
    if (line.flag('json')) io.print(JSON.stringify(report));
    else for (const text of calibrationText(report)) io.print(text);
    return report.cuts.every(({ best }) => best !== null) ? 0 : 1;
  },
};

interface Request {
  /** Folder of a split or of a chain that is there; both null: --at and --out. */
  readonly split: string | null;
  readonly chain: string | null;
  readonly codecs: string | null;
  readonly limits: SplitCalibration['limits'];
}

/** @throws {KerfError} INVALID_ARGUMENT, before anything is read or run. */
function requestOf(line: CommandLine): Request {
  const split = line.text('split') ?? null;
  const chain = line.text('chain') ?? null;
  const stray = ['at', 'out', 'force', 'split'].find((name) => line.text(name) !== undefined);
  if (chain !== null && stray !== undefined)
    throw usageError(`--chain changes a chain that is there: leave out --${stray}`);
  if (split !== null && stray !== undefined && stray !== 'split')
    throw usageError(`--split changes a split that is there: leave out --${stray}`);
  if (split === null && chain === null) line.required('out');
  const bytes = line.text('max-bytes');
  return {
    split,
    chain,
    codecs: line.text('codecs') ?? null,
    limits: {
      maxLossPoints: line.number('max-loss', 0.5, { most: 100, whole: false }),
      confidencePercent: line.number('confidence', DEFAULT_CONFIDENCE_PERCENT, { least: 50, most: 99.9, whole: false }),
      maxBytes: bytes === undefined ? undefined : byteSize('max-bytes', /^\d+$/.test(bytes) ? `${bytes}B` : bytes),
      maxLevels: line.number('levels', 64, { least: 2, most: 64 }),
      codec: line.choice('codec', CODECS, 'auto'),
      nonFinite: line.choice('non-finite', ['lossless', 'refuse'] as const, 'lossless'),
    },
  };
}

async function calibration(
  line: CommandLine,
  { split, chain, codecs, limits }: Request,
  model: ModelFile,
  backend: Backend,
): Promise<CalibrationReport> {
  const specs = model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined));
  const pictures = pictureOptions(line);
  const set = await namedSamples(line, specs, { defaultLimit: DEFAULT_LIMIT });
  requireSamples(set, 2 * LEAST_SAMPLES, 'a calibration');
  await checkTensorSamples(set, { specs, pictures });
  const metric = lossMetric(await taskOptions(line, model, set));
  const seed = line.number('seed', 1);
  const [chosenOn, judgedOn] = thirds(set, seed);
  const tasks = chain === null ? await tasksOf(line, split, { model, backend, set, specs }) : [];
  const tell = progressTo(!line.flag('json'));
  const golden = line.text('golden');
  const options: Omit<SplitCalibration, 'signal'> = {
    backend,
    load: { threads: line.number('threads', 1, { least: 1, most: 256 }) },
    parts: [chosenOn, judgedOn],
    golden: golden === undefined ? null : await readFrame(golden, specs, pictures),
    limits,
    metric,
    specs,
    pictures,
    onProgress: tell,
    onRun: runCounter(tell),
  };
  const cuts = await interruptible(async (signal) => {
    if (chain !== null) return await calibrateChain(model, chain, { ...options, signal });
    const done: CalibratedCut[] = [];
    for (const [at, task] of tasks.entries()) {
      if (tasks.length > 1) tell(`cut ${at + 1} of ${tasks.length}: ${(task.cut ?? []).join(', ')}`);
      done.push(await calibrateSplit(task, { ...options, signal }));
    }
    return done;
  });
  return {
    model: { file: model.name, sha256: model.sha256 },
    samples: { folder: set.folder, chosenOn: chosenOn.entries.length, judgedOn: judgedOn.entries.length, seed },
    metric: metric.name,
    maxLossPoints: limits.maxLossPoints,
    confidencePercent: limits.confidencePercent ?? DEFAULT_CONFIDENCE_PERCENT,
    maxBytes: limits.maxBytes ?? null,
    cuts,
    codecs,
  };
}

interface Known {
  readonly model: ModelFile;
  readonly backend: Backend;
  readonly set: SampleSet;
  readonly specs: readonly TensorSpec[];
}

async function tasksOf(
  line: CommandLine,
  split: string | null,
  { model, backend, set, specs }: Known,
): Promise<SplitTask[]> {
  const force = line.flag('force');
  if (split !== null) {
    await readManifestFile(split);
    return [{ model, cut: null, folder: split, force }];
  }
  const out = line.required('out');
  const [entry] = set.entries;
  const first = entry === undefined ? null : await loadSample(set, entry, { specs, pictures: pictureOptions(line) });
  const shapes = new Map([...(first?.inputs ?? [])].map(([name, { shape }]) => [name, shape]));
  const cuts = await chosenCuts(line, model, backend, shapes);
  if (cuts.length === 1) return cuts.map((cut) => ({ model, cut, folder: out, force }));
  return cuts.map((cut, at) => ({ model, cut, folder: join(out, folderName(at, cut)), force }));
}

/** `1-relu_7`: the order, and enough of the name to know it by. */
function folderName(at: number, [name = '']: readonly string[]): string {
  const plain = name.replaceAll(/[^\w.-]+/g, '_').replaceAll(/^[_.]+|[_.]+$/g, '');
  return `${at + 1}-${plain.slice(-40)}`;
}

/** Every ten seconds, how many runs of the tail there were. */
function runCounter(tell: (text: string) => void): () => void {
  const QUIET_MS = 10_000;
  let runs = 0;
  let lastMs = performance.now();
  return () => {
    runs++;
    if (performance.now() - lastMs < QUIET_MS) return;
    lastMs = performance.now();
    tell(`${runs} runs of the tail`);
  };
}
