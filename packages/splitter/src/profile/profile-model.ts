// A model, a runtime and a budget of time -> what the model costs on this device. The same code in Node and in a
// browser's worker.
import { extract, type ModelGraph } from '@kerf/onnx';
import {
  type LoadedModel,
  type LoadOptions,
  type ModelSource,
  messageOf,
  type Tensor,
  type TensorMap,
} from '@kerf/protocol';
import { canCross } from '../list-cuts.ts';
import { TRANSIENT_DATA_FILE } from '../model-host.ts';
import { calibrate } from '../plan/calibrate.ts';
import { type DeviceProfile, type NodeCost, PROFILE_FORMAT, type SegmentCost } from '../plan/profile.ts';
import { weightGroups } from '../plan/weights.ts';
import { findInputs } from '../sample-inputs.ts';
import { mergeSpec, type ValueSpec } from '../value-types.ts';
import { workGraph } from '../work-graph.ts';
import { candidateCuts } from './choose-cuts.ts';
import { measureCoding } from './measure-coding.ts';
import { costOf, type MeasuredCut, type MeasuredSide, measureCuts, measuredSets } from './measure-cuts.ts';
import { measuredValues } from './measured-values.ts';
import { namedRefusal } from './missing-operator.ts';
import { checkSizesBound } from './open-dimensions.ts';
import type { ProfileOptions } from './profile-options.ts';
import { SampleCoder } from './sample-coder.ts';
import { distributionOf, TimedRuns, tickOf } from './timed-runs.ts';

const WARM_UP_RUNS = 2;
const MIN_WHOLE_RUNS = 3;
const MAX_WHOLE_RUNS = 30;
/** Of the budget, for the whole model before any cut. */
const WHOLE_SHARE = 0.2;
/** Of the budget, for the speed of coding, and for the sizes of what the frame makes. */
const CODING_SHARE = 0.02;
const SIZES_SHARE = 0.05;

/**
 * Measures a model on this device: the whole, then single nodes, then heads and tails as sessions of their own. At most
 * the whole, one head and one tail are loaded at a time. Where `inputs` do not fill an input, values are made up.
 * @throws {KerfError} INVALID_ARGUMENT naming every size that neither `dims` nor `inputs` bind, MODEL_UNSUPPORTED when
 * the runtime refuses the model (a missing operator is named), BACKEND_UNAVAILABLE when the provider is not there,
 * TENSOR_MISMATCH for inputs that do not fit.
 */
export async function profileModel(options: ProfileOptions): Promise<DeviceProfile> {
  const { graph, clock, dims = {}, inputs = new Map<string, Tensor>() } = options;
  const startMs = clock.nowMs();
  checkSizesBound(graph, dims, inputs);
  return await withWhole(options, async (whole, source) => {
    const specs = whole.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
    const sample = (await findInputs(whole, { specs, dims, inputs, clock })).sample(0);
    const tickMs = tickOf(clock);
    const runs = new TimedRuns(clock, tickMs, () => whole.run(sample));
    await timeWhole(runs, options, clock.nowMs() + options.budgetMs * WHOLE_SHARE);
    const nodes = await nodeEvents(options, source, sample);
    const values = await measuredValues(graph, options.backend, options.host, sample);
    const priorMs = priorOf(graph, nodes, values.bound);
    const loader = {
      graph,
      backend: options.backend,
      host: options.host,
      load: loadOptions(options),
      types: values.open,
    };
    const coding = await measureCoding(clock, options.budgetMs * CODING_SHARE);
    const coder = new SampleCoder(clock, options.budgetMs * SIZES_SHARE);
    const answers = [...sample, ...(await whole.run(sample))].flatMap(([name, tensor]) => coder.bytesOf(name, tensor));
    const cuts = await measureCuts({
      loader,
      clock,
      tickMs,
      inputs: sample,
      whole: runs,
      coder,
      side: options.side ?? 'both',
      candidates: candidateCuts(graph, values.bound),
      priorMs,
      endMs: startMs + options.budgetMs,
      onProgress: options.onProgress ?? (() => {}),
      onMeasured: (cut) => {
        const wholeMs = distributionOf(runs.samplesMs).ms;
        for (const segment of segmentsOf(cut, wholeMs)) options.onSegment?.(segment);
      },
    });
    const total = distributionOf(runs.samplesMs);
    const coded = new Map([...answers, ...cuts.flatMap(({ losslessBytes }) => [...losslessBytes])]);
    return {
      ...headerOf(options, sample),
      nodes: nodes ?? nodesOfSegments(graph, calibrate(priorMs, total.ms, measuredSets({ loader }, cuts, total.ms))),
      nodeTimesFrom: nodes === null ? 'segments' : 'events',
      segments: cuts.flatMap((cut) => segmentsOf(cut, total.ms)),
      wholeMs: rounded(total.ms),
      wholeP99Ms: total.p99Ms === null ? null : rounded(total.p99Ms),
      values: [...values.bound.values()].map((value) => profiledValue(value, coded.get(value.name))),
      memory: [],
      crossing: null,
      coding,
      frame: isGiven(options) ? 'given' : 'made up',
    };
  });
}

function isGiven({ graph, inputs }: ProfileOptions): boolean {
  return graph.inputs.every((name) => inputs?.has(name) === true);
}

function loadOptions({ optimizationLevel = 'all', threads }: ProfileOptions): LoadOptions {
  return { optimizationLevel, ...(threads === null ? {} : { threads }) };
}

async function withWhole<T>(
  options: ProfileOptions,
  use: (whole: LoadedModel, source: ModelSource) => Promise<T>,
): Promise<T> {
  const { graph, backend, host } = options;
  const { inputs, outputs } = graph;
  return await host.withSource(
    extract(graph, { inputs, outputs, externalFile: TRANSIENT_DATA_FILE }),
    async (source) => {
      const whole = await backend.load(source, loadOptions(options)).catch((error: unknown) => {
        throw namedRefusal(graph, error, options.provider);
      });
      try {
        return await use(whole, source);
      } finally {
        await whole.dispose();
      }
    },
  );
}

async function timeWhole(runs: TimedRuns, { clock, onProgress }: ProfileOptions, untilMs: number): Promise<void> {
  await runs.warmUp(WARM_UP_RUNS);
  const { samplesMs } = runs;
  while (samplesMs.length < MIN_WHOLE_RUNS || (samplesMs.length < MAX_WHOLE_RUNS && clock.nowMs() < untilMs)) {
    await runs.sample();
  }
  onProgress?.(`whole model: ${distributionOf(samplesMs).ms.toFixed(2)} ms, ${samplesMs.length} runs`);
}

/** Null where the runtime cannot time its nodes: the profile does without. */
async function nodeEvents(options: ProfileOptions, source: ModelSource, sample: TensorMap): Promise<NodeCost[] | null> {
  if (options.nodeEvents === null) return null;
  try {
    return await options.nodeEvents(source, sample);
  } catch (error) {
    options.onProgress?.(`single nodes could not be timed: ${messageOf(error)}`);
    return null;
  }
}

/** By position in the work: times of nodes, or, where there are none, the bytes that a node reads as weights and writes. */
function priorOf(
  graph: ModelGraph,
  nodes: readonly NodeCost[] | null,
  values: ReadonlyMap<string, ValueSpec>,
): Float64Array {
  const work = workGraph(graph);
  const prior = new Float64Array(work.nodes.length);
  const add = (at: number | undefined, cost: number): void => {
    if (at !== undefined) prior[at] = (prior[at] as number) + cost;
  };
  if (nodes !== null) {
    for (const { index, ms } of nodes) add(index === null ? undefined : work.position.get(index), ms);
    return prior;
  }
  work.nodes.forEach(({ outputs }, at) => {
    for (const name of outputs) add(at, values.get(name)?.bytes ?? 0);
  });
  for (const group of weightGroups(graph)) for (const at of group.nodes) add(at, group.bytes);
  return prior;
}

function nodesOfSegments(graph: ModelGraph, nodeMs: Float64Array): NodeCost[] {
  return workGraph(graph).nodes.map(({ index, record, outputs }, at) => ({
    index,
    name: record.name === '' ? (outputs[0] ?? '') : record.name,
    opType: record.opType,
    ms: rounded(nodeMs[at] ?? 0),
  }));
}

function headerOf(options: ProfileOptions, sample: TensorMap) {
  const { model, device, provider, threads, versions, date } = options;
  const inputShapes = Object.fromEntries([...sample].map(([name, { shape }]) => [name, [...shape]]));
  return { format: PROFILE_FORMAT, model, device, provider, threads, versions, date, inputShapes } as const;
}

function segmentsOf(cut: MeasuredCut, wholeMs: number): SegmentCost[] {
  const tensors = [...cut.candidate.cut.tensors, ...cut.candidate.cut.inputs];
  const cost = (side: MeasuredSide) => {
    const { ms, p99Ms, runs } = costOf(side, wholeMs);
    return { ms: rounded(ms), p99Ms: p99Ms === null ? null : rounded(p99Ms), runs };
  };
  return [
    ...(cut.head === null ? [] : [{ head: tensors, tail: null, ...cost(cut.head) }]),
    ...(cut.tail === null ? [] : [{ head: null, tail: tensors, ...cost(cut.tail) }]),
  ];
}

function profiledValue(
  { name, dtype, shape, bytes }: ValueSpec,
  losslessBytes: number | undefined,
): DeviceProfile['values'][number] {
  const isKnown = shape?.every((size) => typeof size === 'number') === true;
  return {
    name,
    dtype: canCross(dtype) ? dtype : null,
    shape: isKnown ? (shape as readonly number[]) : null,
    bytes,
    ...(losslessBytes === undefined ? {} : { losslessBytes }),
  };
}

/** To a tenth of a microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}
