// A model and the form that is wanted -> its edit, and what there is to say of it.
import { type GraphEdit, type ModelEdit, numberOfDType } from '@kerf/onnx';
import type { ModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError } from '@kerf/protocol';
import {
  checkCutValue,
  cutForm,
  dynamicForm,
  type Float32Node,
  float16Form,
  Int8Reader,
  Judge,
  type NodeSensitivity,
  type ObserveOptions,
  observeChannels,
  observeRanges,
  observeValues,
  type QuantizedCutValue,
  searchStatic,
  type ValueSpec,
  valueSpecs,
  valuesToObserve,
  weightsForm,
} from '@kerf/splitter';
import { fileHost, fileTensors } from '@kerf/splitter/node';
import type { QuantizeRequest } from './request.ts';
import type { QuantizeSamples } from './samples.ts';

/** What was done, for the report; null where a form has no such thing. */
export interface FormDetails {
  /** Nodes that compute in the new type. */
  readonly nodes: number | null;
  /** Weights that are kept in int8 but computed with in float32. */
  readonly storedWeights: number | null;
  /** How ranges were chosen. */
  readonly method: string | null;
  /** Channels that got a wider step, so that no processor's 16-bit sums overflow. */
  readonly narrowedChannels: number | null;
  /** The uint8 tensors to cut at. */
  readonly at: readonly string[] | null;
  readonly float32: readonly Float32Node[];
  readonly sensitivities: readonly NodeSensitivity[];
  /** False where the limit of loss could not be kept. */
  readonly holds: boolean;
}

export interface MadeForm {
  readonly edit: ModelEdit;
  readonly details: FormDetails;
}

interface Job {
  readonly model: ModelFile;
  readonly backend: Backend;
  readonly request: QuantizeRequest;
  readonly samples: QuantizeSamples;
  readonly check: () => Promise<void>;
  readonly onProgress: (text: string) => void;
}

const NOTHING: FormDetails = {
  nodes: null,
  storedWeights: null,
  method: null,
  narrowedChannels: null,
  at: null,
  float32: [],
  sensitivities: [],
  holds: true,
};

/** Points that static quantisation may cost by itself, where labels say what a point is. */
const DEFAULT_MAX_LOSS = 1;
/** Values near the end of float16 may be beyond it on another sample. */
const NEAR_FLOAT16_END = 65_504 / 2;

/** @throws {KerfError} INVALID_ARGUMENT, MODEL_UNSUPPORTED, TENSOR_MISMATCH. */
export async function makeForm(job: Job): Promise<MadeForm> {
  const { model, request } = job;
  const read = fileTensors(model);
  const { form, fullRange } = request;
  if (form === 'weights') {
    const { edit, weights } = await weightsForm(model.graph, read);
    return { edit, details: { ...NOTHING, storedWeights: someOf(weights) } };
  }
  const specs = await specsOf(job);
  const dtypes = new Map(
    [...specs].flatMap(([name, { dtype }]) => (dtype === null ? [] : [[name, numberOfDType(dtype)]])),
  );
  if (form === 'fp16') {
    const tooLarge = await valuesBeyondFloat16(job, specs);
    const { edit, nodes, float32 } = await float16Form(model.graph, { read, dtypes, tooLarge });
    if (![edit, ...(edit.bodies?.values() ?? [])].some(isChange)) {
      throw new KerfError(
        'MODEL_UNSUPPORTED',
        'there is nothing to convert: no operator computes in float32 and would do so soundly in float16',
      );
    }
    return { edit, details: { ...NOTHING, nodes, float32 } };
  }
  if (form === 'dynamic') {
    const { edit, nodes, stored } = await dynamicForm(model.graph, { read, dtypes, isPairSafe: !fullRange });
    someOf(nodes + stored);
    return { edit, details: { ...NOTHING, nodes, storedWeights: stored } };
  }
  return form === 'cut' ? await makeCut(job, specs) : await makeStatic(job, specs, dtypes);
}

/** @throws {KerfError} MODEL_UNSUPPORTED for none. */
function someOf(count: number): number {
  if (count > 0) return count;
  throw new KerfError(
    'MODEL_UNSUPPORTED',
    'there is nothing to quantise: no operator has float32 weights of 2 KB or more',
  );
}

const isChange = ({ nodes, initializers }: GraphEdit): boolean =>
  (nodes?.size ?? 0) > 0 || (initializers?.length ?? 0) > 0;

function specsOf({ model, backend, samples }: Job): Promise<Map<string, ValueSpec>> {
  const [sample] = samples.calibration;
  const shapes = new Map([...(sample?.inputs ?? [])].map(([name, { shape }]) => [name, shape]));
  return valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes: shapes });
}

function observing({ model, backend, samples, check }: Job, specs: ReadonlyMap<string, ValueSpec>): ObserveOptions {
  return {
    graph: model.graph,
    host: fileHost(model),
    backend,
    async *samples() {
      for (const { inputs } of samples.calibration) {
        await check();
        yield inputs;
      }
    },
    bytesOf: (name) => specs.get(name)?.bytes ?? null,
  };
}

async function valuesBeyondFloat16(job: Job, specs: ReadonlyMap<string, ValueSpec>): Promise<ReadonlySet<string>> {
  const names = [...specs.values()].filter(({ dtype }) => dtype === 'float32').map(({ name }) => name);
  const ranges = await observeRanges(names, observing(job, specs));
  return new Set(
    [...ranges].filter(([, { min, max }]) => Math.max(-min, max) > NEAR_FLOAT16_END).map(([name]) => name),
  );
}

async function makeCut(job: Job, specs: ReadonlyMap<string, ValueSpec>): Promise<MadeForm> {
  const { model, request } = job;
  const values: QuantizedCutValue[] = [];
  const options = observing(job, specs);
  for (const name of request.at) checkCutValue(model.graph, name);
  const known = await observeRanges(request.perChannel ? [] : request.at, options);
  for (const name of request.at) {
    const dtype = specs.get(name)?.dtype ?? null;
    if (dtype !== 'float32') {
      const what = dtype === null ? 'no tensor that is known' : dtype;
      throw new KerfError('INVALID_ARGUMENT', `'${name}' is ${what}: only float32 values are quantised`);
    }
    const channels = request.perChannel ? await observeChannels(name, options) : null;
    const whole = known.get(name) ?? { min: 0, max: 0 };
    values.push({ name, ranges: channels?.ranges ?? [whole], rank: channels?.rank ?? 0 });
  }
  const { edit, at } = cutForm(model.graph, { values, elementwise: request.elementwise });
  return { edit, details: { ...NOTHING, at, method: request.perChannel ? 'minmax per channel' : 'minmax' } };
}

async function makeStatic(
  job: Job,
  specs: ReadonlyMap<string, ValueSpec>,
  dtypes: ReadonlyMap<string, number>,
): Promise<MadeForm> {
  const { model, request, samples, check, onProgress } = job;
  const { graph } = model;
  const dtypeOf = (name: string): number | null => dtypes.get(name) ?? null;
  onProgress(`calibrating on ${samples.calibration.length} samples`);
  const histograms = await observeValues(valuesToObserve(graph, dtypeOf), observing(job, specs));
  const reader = new Int8Reader(fileTensors(model), { isPairSafe: !request.fullRange });
  const { metric, calibration } = samples;
  const judge = new Judge({ graph, host: fileHost(model), backend: job.backend, metric, samples: calibration, check });
  const found = await searchStatic({
    graph,
    dtypeOf,
    histograms,
    read: reader,
    judge,
    method: request.method,
    percentile: request.percentile,
    maxLossPoints: request.maxLossPoints ?? (metric.kind === 'none' ? null : DEFAULT_MAX_LOSS),
    onProgress,
  });
  const float32 = [
    ...found.sensitivities
      .filter(({ excluded }) => excluded)
      .map(({ node, op, gainPoints }) => ({
        node,
        op,
        reason: `alone it costs ${gainPoints.toFixed(2)} % of the outputs`,
      })),
    ...found.unseen.map((node) => ({ node, op: '', reason: 'a value of it was never seen, or not finite' })),
  ];
  return {
    edit: found.edit,
    details: {
      ...NOTHING,
      nodes: found.plan.nodes.length,
      method: found.method,
      narrowedChannels: reader.narrowed,
      float32,
      sensitivities: found.sensitivities,
      holds: found.holds,
    },
  };
}
