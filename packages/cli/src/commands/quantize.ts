// `kerf quantize`: a smaller, faster form of a model, with what it costs.
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { editModel, metadataOf } from '@kerf/onnx';
import { type ModelFile, writeModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError } from '@kerf/protocol';
import { Judge } from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import { type Command, type CommandLine, usageError } from '../command.ts';
import { TASK_OPTIONS } from '../evaluate/task-options.ts';
import { PICTURE_OPTIONS } from '../frame-input.ts';
import { checkInterrupted, interruptible } from '../interruption.ts';
import { openNamedModel } from '../model-options.ts';
import { checkFolderOf } from '../profile/profile-file.ts';
import { progressTo } from '../profile/progress.ts';
import { makeForm } from '../quantize/make-form.ts';
import { measureTimes } from '../quantize/measure-time.ts';
import { type QuantizeReport, quantizeText } from '../quantize/report.ts';
import { FORM_OPTIONS, type QuantizeRequest, quantizeRequest, RUN_OPTIONS } from '../quantize/request.ts';
import { quantizeSamples } from '../quantize/samples.ts';
import { SAMPLE_OPTIONS } from '../samples/sample-options.ts';
import { tensorNames } from './split.ts';

export const quantize: Command = {
  name: 'quantize',
  usage: 'MODEL --form FORM [OPTIONS] | MODEL --cut-only --at TENSOR [OPTIONS]',
  summary:
    'Writes a smaller form of a model and says what it costs in points of its task and gains in time. fp16: weights and ' +
    'compute in float16. weights: int8 weights, float32 compute. dynamic: int8 products of matrices, data quantised as ' +
    'it comes. static: int8 kernels, ranges calibrated on samples. --cut-only: only the value at a cut becomes uint8.',
  positionals: [1, 1],
  isolated: true,
  options: {
    ...FORM_OPTIONS,
    ...SAMPLE_OPTIONS,
    ...PICTURE_OPTIONS,
    ...TASK_OPTIONS,
    ...RUN_OPTIONS,
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'Inputs and outputs keep their types. Without --test, half of the samples calibrate and the loss is measured on the ' +
    'others. Exit status 1, and nothing written, when static quantisation cannot keep --max-loss.',
  async run(line, io) {
    const asked = quantizeRequest(line);
    const model = await openNamedModel(line);
    const isValue = (name: string): boolean => model.graph.producer.has(name) || model.graph.inputs.includes(name);
    const request = { ...asked, at: asked.at.flatMap((text) => tensorNames(text, isValue)) };
    await checkTarget(model, request);
    const backend = await backendOf(request);
    try {
      const report = await interruptible((signal) => quantized(line, model, request, backend, signal));
      if (line.flag('json')) io.print(JSON.stringify(report));
      else for (const text of quantizeText(report)) io.print(text);
      return report.quantized === null ? 1 : 0;
    } finally {
      await backend.dispose();
    }
  },
};

function backendOf({ runtime, provider }: QuantizeRequest): Promise<Backend> {
  return nodeBackend({
    runtime: runtime === 'node' ? 'onnxruntime-node' : 'onnxruntime-web',
    ...(provider === undefined ? {} : { executionProvider: provider }),
    inThisThread: true,
  });
}

/** @throws {KerfError} FILE_EXISTS, FILE_NOT_FOUND, INVALID_ARGUMENT for a model that is quantised already, or the source as the target. */
async function checkTarget(model: ModelFile, { out, force, form }: QuantizeRequest): Promise<void> {
  const former = metadataOf(model.graph.model).get('kerf.quantized');
  if (former !== undefined && form !== 'cut') {
    throw usageError(`the model is quantised already (${former}): quantise the one it was made from`);
  }
  await checkFolderOf(out);
  if (!existsSync(out)) return;
  if ((await realpath(out)) === (await realpath(model.path))) throw usageError(`--out ${out} is the model itself`);
  if (!force) throw new KerfError('FILE_EXISTS', `${out} is there; --force replaces it, or name another with --out`);
}

async function quantized(
  line: CommandLine,
  model: ModelFile,
  request: QuantizeRequest,
  backend: Backend,
  signal: AbortSignal,
): Promise<QuantizeReport> {
  const check = (): Promise<void> => checkInterrupted(signal, 'quantisation');
  const onProgress = progressTo(!line.flag('json'));
  const needed =
    request.form === 'static' || request.form === 'cut' ? 'ranges are calibrated on what the model will see' : null;
  const samples = await quantizeSamples(line, model, backend, { needed, signal });
  const { edit, details } = await makeForm({ model, backend, request, samples, check, onProgress });
  onProgress(`measuring the loss on ${samples.test.length} samples`);
  const { metric, test } = samples;
  const host = fileHost(model);
  const judge = new Judge({ graph: model.graph, host, backend, metric, samples: test, check });
  const { task, closenessPoints } = await judge.judge(edit);
  const dataFile = `${basename(request.out)}.data`;
  const extracted = editModel(model.graph, { ...edit, externalFile: dataFile });
  const written = details.holds ? await writeModelFile(extracted, request.out, model.externalFiles, dataFile) : null;
  const bytesBefore = bytesOf(model);
  const bytes = extracted.byteLength + extracted.externalByteLength;
  const [first] = test;
  const paths = { whole: model.path, quantized: request.out };
  const { threads } = request;
  const times =
    written === null || first === undefined ? null : await measureTimes(backend, paths, first.inputs, { threads });
  return {
    form: request.form,
    ...details,
    model: { file: model.name, sha256: model.sha256, bytes: bytesBefore },
    quantized: written === null ? null : { file: request.out, sha256: written.sha256, bytes },
    bytesRatio: bytes / bytesBefore,
    loss: { metric: metric.name, ...task },
    closenessPoints,
    samples: {
      calibration: samples.calibration.length,
      test: test.length,
      source: samples.source,
      madeUp: samples.madeUp,
    },
    time: times === null ? null : { ...times, backend: backend.name, threads },
  };
}

function bytesOf(model: ModelFile): number {
  return [...model.externalFiles.values()].reduce((sum, file) => sum + file.bytes, model.bytes);
}
