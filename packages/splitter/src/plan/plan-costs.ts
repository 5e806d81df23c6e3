// A graph and a request -> everything that placing it costs, by position: the one table that all candidates are priced from.
import { type ModelGraph, shorten } from '@kerf/onnx';
import { KerfError, nearestNames } from '@kerf/protocol';
import { canBeNamed } from '../carried-names.ts';
import { fusedValues } from '../fused-pairs.ts';
import { canCross } from '../list-cuts.ts';
import { type WorkGraph, workGraph } from '../work-graph.ts';
import { type DeviceCosts, deviceCosts, nodeFinder } from './device-costs.ts';
import { answerCost } from './lossless-codec.ts';
import type { WeightGroup } from './min-cut.ts';
import { type CrossingCost, checkProfileModel, type DeviceProfile, type ProfiledValue } from './profile.ts';
import { rawValues } from './raw-values.ts';
import type { PlanRequest } from './request.ts';
import { weightGroups } from './weights.ts';

/** A model input or a node's output that some node needs. */
export interface PlanValue {
  readonly name: string;
  /** -1 for a model input. */
  readonly producer: number;
  readonly consumers: readonly number[];
  /** Null when the profiles do not know it: then it cannot cross. */
  readonly profiled: ProfiledValue | null;
  /** Whether a cut may be here: a dense tensor of a dtype that the runtime's API takes, of known size, inside no fusion. */
  readonly mayCross: boolean;
  /** The pair of operators that the runtime fuses across this value, such as `Conv and Relu`; null for none. */
  readonly fusion: string | null;
}

export interface PlanCosts {
  readonly graph: ModelGraph;
  readonly work: WorkGraph;
  readonly edge: DeviceCosts;
  readonly cloud: DeviceCosts;
  readonly crossing: CrossingCost;
  readonly values: readonly PlanValue[];
  readonly valueByName: ReadonlyMap<string, PlanValue>;
  /** Bytes on the downlink of the final outputs that each node makes. */
  readonly outputBytes: Float64Array;
  /** Milliseconds of coding them on both sides together. */
  readonly answerMs: Float64Array;
  /** Final outputs whose size no profile knows: they count as empty. */
  readonly unsizedOutputs: readonly string[];
  /** 1 where no node needs what the node makes: such a node is always in the tail of a split. */
  readonly isLast: Uint8Array;
  readonly weights: readonly WeightGroup[];
  readonly wholeWeightsBytes: number;
  readonly rawValues: ReadonlySet<string>;
  /** Nodes that must run on the edge, and values that must not leave it. */
  readonly kept: { readonly nodes: readonly number[]; readonly values: ReadonlySet<string> };
}

/** @throws {KerfError} INVALID_ARGUMENT, CUT_UNKNOWN_TENSOR for a name to keep that is not there. */
export function planCosts(graph: ModelGraph, request: PlanRequest): PlanCosts {
  const { edge, cloud } = request;
  checkProfileModel(cloud, edge.model, 'cloud');
  checkShapes(edge, cloud);
  const work = workGraph(graph);
  const profiled = new Map(cloud.values.map((value) => [value.name, value]));
  for (const value of edge.values) profiled.set(value.name, { ...profiled.get(value.name), ...value });
  for (const profile of request.calibrated ?? [])
    checkProfileModel(profile, edge.model, "codecs'", "run 'kerf calibrate' on this one");
  const values = planValues(work, profiled, request.allowFusedCuts === true);
  const isTensor = ({ profiled }: PlanValue): boolean => profiled === null || profiled.dtype !== null;
  if (values.some(isTensor) && values.every(({ profiled }) => (profiled?.bytes ?? null) === null)) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      'the profiles know the size of no value: profile the model with its open dimensions bound (--dim NAME=N), ' +
        "or, in a profile written by hand, list them in 'values' as { name, dtype, shape, bytes }",
    );
  }
  const outputBytes = new Float64Array(work.nodes.length);
  const answerMs = new Float64Array(work.nodes.length);
  for (const name of graph.outputs) {
    const at = work.producer.get(name);
    const value = profiled.get(name);
    if (at === undefined || value === undefined) continue;
    const { bytes, codingMs } = answerCost(value, request);
    outputBytes[at] = (outputBytes[at] as number) + bytes;
    answerMs[at] = (answerMs[at] as number) + codingMs;
  }
  const weights = measuredWeights(graph, work, edge) ?? weightGroups(graph);
  return {
    graph,
    work,
    edge: deviceCosts(graph, edge, 'edge'),
    cloud: deviceCosts(graph, cloud, 'cloud'),
    crossing: cloud.crossing ?? edge.crossing ?? { perFrameMs: 0, perMegabyteMs: 0 },
    values,
    valueByName: new Map(values.map((value) => [value.name, value])),
    outputBytes,
    answerMs,
    unsizedOutputs: graph.outputs.filter(
      (name) => work.producer.has(name) && (profiled.get(name)?.bytes ?? null) === null,
    ),
    isLast: Uint8Array.from(work.nodes, ({ outputs }) => (outputs.some((name) => work.consumers.has(name)) ? 0 : 1)),
    weights,
    rawValues: rawValues(graph),
    wholeWeightsBytes: weights.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: keptOnEdge(graph, work, request.constraints?.keepOnEdge ?? []),
  };
}

function planValues(work: WorkGraph, profiled: ReadonlyMap<string, ProfiledValue>, allowFused: boolean): PlanValue[] {
  const fused = fusedValues(work.graph);
  const names = [...work.graph.inputs, ...work.nodes.flatMap((node) => node.outputs)];
  return names.flatMap((name) => {
    const consumers = work.consumers.get(name);
    if (consumers === undefined) return [];
    const value = profiled.get(name) ?? null;
    const fusion = fused.get(name) ?? null;
    const mayCross =
      value?.bytes != null && canCross(value.dtype) && canBeNamed(value.name) && (fusion === null || allowFused);
    return [{ name, producer: work.producer.get(name) ?? -1, consumers, profiled: value, mayCross, fusion }];
  });
}

function measuredWeights(graph: ModelGraph, work: WorkGraph, edge: DeviceProfile): WeightGroup[] | null {
  if (edge.memory.length === 0) return null;
  const find = nodeFinder(graph, 'edge');
  return edge.memory.flatMap(({ index, name, weightsBytes }) => {
    const at = work.position.get(find(index, name, null));
    return at === undefined || weightsBytes === 0 ? [] : [{ bytes: weightsBytes, nodes: [at] }];
  });
}

function checkShapes(edge: DeviceProfile, cloud: DeviceProfile): void {
  for (const [name, shape] of Object.entries(edge.inputShapes)) {
    const other = Object.hasOwn(cloud.inputShapes, name) ? cloud.inputShapes[name] : undefined;
    if (other === undefined || other.join() === shape.join()) continue;
    throw new KerfError(
      'INVALID_ARGUMENT',
      `the profiles were taken at different sizes: input '${shorten(name)}' is [${shape.join(', ')}] on the edge and ` +
        `[${other.join(', ')}] in the cloud; profile both with the same --dim`,
    );
  }
}

/** A value to keep must not cross, and who makes and uses it stays; a node to keep stays, its outputs may leave. */
function keptOnEdge(graph: ModelGraph, work: WorkGraph, names: readonly string[]): PlanCosts['kept'] {
  const nodes = new Set<number>();
  const values = new Set<string>();
  for (const name of names) {
    const maker = work.producer.get(name);
    const named = work.nodes.findIndex((node) => node.record.name === name);
    if (maker !== undefined || graph.inputs.includes(name)) {
      values.add(name);
      if (maker !== undefined) nodes.add(maker);
      for (const at of work.consumers.get(name) ?? []) nodes.add(at);
    } else if (named >= 0) nodes.add(named);
    else {
      const known = [...work.producer.keys(), ...graph.inputs, ...work.nodes.map((node) => node.record.name)];
      const near = nearestNames(name, known);
      const hint = near.length === 0 ? '' : `; did you mean ${near.map((one) => `'${shorten(one)}'`).join(' or ')}?`;
      throw new KerfError('CUT_UNKNOWN_TENSOR', `the model has no value or node '${shorten(name)}' to keep${hint}`, {
        details: { near },
      });
    }
  }
  return { nodes: [...nodes], values };
}
