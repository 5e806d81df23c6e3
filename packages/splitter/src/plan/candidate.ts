// One placement with its codec -> what it costs on a device, and on a link what a frame takes.
import type { CutCodec } from './codec-profile.ts';
import { coldStartMs } from './cold-start.ts';
import { cutKey } from './device-costs.ts';
import type { PlanCosts } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import type { ImageInput, PlanCodec, PlanConstraints } from './request.ts';
import { codedBytes } from './request.ts';

/** A value that crosses, and how. */
export interface Crossing {
  readonly name: string;
  readonly codec: string;
  readonly bytes: number;
}

export interface Candidate {
  readonly placement: 'edge' | 'cloud' | 'split';
  /** What is sent; empty on the edge. */
  readonly crossing: readonly Crossing[];
  /** Codec or image format, several joined by `+`; `none` on the edge. */
  readonly codec: string;
  readonly headNodes: number;
  readonly edgeMs: number;
  readonly edgeP99Ms: number;
  readonly encodeMs: number;
  readonly uplinkBytes: number;
  readonly decodeMs: number;
  readonly cloudMs: number;
  readonly cloudP99Ms: number;
  readonly downlinkBytes: number;
  readonly edgeWeightsBytes: number;
  /** Session, gateway and worker process, both ways together, and coding the answer. */
  readonly crossingMs: number;
  /** Largest loss of the task's metric, in points; null where nobody knows. */
  readonly loss: number | null;
  /** The first pair of operators that the cut keeps the runtime from fusing; null when there is none. */
  readonly fusion: string | null;
  /** Whether the times come from sessions that were run, or from calibrated sums of nodes. */
  readonly source: { readonly edge: CostSource; readonly cloud: CostSource };
  /** Whether an input of the model crosses, or what only preprocessing made of one. */
  readonly sendsInput: boolean;
  readonly keeps: boolean;
  /** What calibration measured, where the codec is one that was measured at this cut; null for any other. */
  readonly calibrated: { readonly metric: string; readonly entry: CutCodec } | null;
}

export type CostSource = 'measured' | 'nodes' | 'none';

/** What a frame takes on a link. */
export interface Prediction {
  readonly latencyMs: number;
  readonly p99Ms: number;
  /** On the wire, with what a connection that rested waits for acknowledgements. */
  readonly uplinkMs: number;
  readonly downlinkMs: number;
  /** With frames in flight, the slowest stage alone decides. */
  readonly framesPerSecond: number;
  readonly slowestStage: 'edge' | 'uplink' | 'cloud' | 'downlink';
}

/** The same for two candidates that place the same nodes and send the same values in the same codecs. */
export function candidateKey({ placement, crossing, codec }: Candidate): string {
  return JSON.stringify([placement, codec, crossing.map((one) => JSON.stringify([one.name, one.codec])).sort()]);
}

/** What each stage of a pipeline is busy with a frame for. */
export type Stages = Readonly<Record<Prediction['slowestStage'], number>>;

/**
 * Stages work at the same time on different frames. The crossing is work of both sides' processes in shares that nobody
 * measured: each is charged half.
 */
export function stagesOf(candidate: Candidate, link: LinkProfile): Stages {
  const { edgeMs, encodeMs, cloudMs, decodeMs, crossingMs } = candidate;
  return {
    edge: edgeMs + encodeMs + crossingMs / 2,
    uplink: transferMs(candidate.uplinkBytes, link.uplinkBitsPerSecond),
    cloud: cloudMs + decodeMs + crossingMs / 2,
    downlink: transferMs(candidate.downlinkBytes, link.downlinkBitsPerSecond),
  };
}

/** Milliseconds of bytes on a link. */
export function transferMs(bytes: number, bitsPerSecond: number): number {
  return (bytes * 8000) / bitsPerSecond;
}

/** The same of a frame's bytes, on a connection that rests between two frames where the link says so. */
export function pacedTransferMs(
  bytes: number,
  bitsPerSecond: number,
  { roundTripMs, frameIntervalMs }: Pick<LinkProfile, 'roundTripMs' | 'frameIntervalMs'>,
): number {
  const ms = transferMs(bytes, bitsPerSecond);
  if (frameIntervalMs === undefined) return ms;
  return ms + coldStartMs({ bytes, bitsPerSecond, roundTripMs, idleMs: frameIntervalMs - ms });
}

export function predict(candidate: Candidate, link: LinkProfile, waitMs: number): Prediction {
  const { edgeMs, encodeMs, decodeMs, cloudMs, crossingMs, placement } = candidate;
  const stages = stagesOf(candidate, link);
  const uplinkMs = pacedTransferMs(candidate.uplinkBytes, link.uplinkBitsPerSecond, link);
  const downlinkMs = pacedTransferMs(candidate.downlinkBytes, link.downlinkBitsPerSecond, link);
  const isLocal = placement === 'edge';
  const between = isLocal ? 0 : encodeMs + uplinkMs + link.roundTripMs + crossingMs + waitMs + decodeMs + downlinkMs;
  const slowestMs = Math.max(stages.edge, stages.uplink, stages.cloud, stages.downlink);
  const slowestStage = (['edge', 'uplink', 'cloud', 'downlink'] as const).find((name) => stages[name] === slowestMs);
  return {
    latencyMs: edgeMs + between + cloudMs,
    p99Ms: candidate.edgeP99Ms + between + (isLocal ? 0 : link.jitterMs) + candidate.cloudP99Ms,
    uplinkMs,
    downlinkMs,
    framesPerSecond: slowestMs > 0 ? 1000 / slowestMs : Number.POSITIVE_INFINITY,
    slowestStage: slowestStage ?? 'edge',
  };
}

/** Whether a candidate keeps every constraint given. */
export function keepsAll(candidate: Candidate, prediction: Prediction, constraints: PlanConstraints): boolean {
  const { noRawInput, maxEdgeWeightsBytes, deadlineMs, maxLoss, keepOnEdge } = constraints;
  return (
    (keepOnEdge === undefined || candidate.keeps) &&
    (noRawInput !== true || !candidate.sendsInput) &&
    (maxEdgeWeightsBytes === undefined || candidate.edgeWeightsBytes <= maxEdgeWeightsBytes) &&
    (deadlineMs === undefined || prediction.p99Ms <= deadlineMs) &&
    (maxLoss === undefined || (candidate.loss !== null && candidate.loss <= maxLoss))
  );
}

export function edgeOnly(costs: PlanCosts): Candidate {
  const { wholeMs, p99Ratio } = costs.edge;
  return {
    ...NOTHING,
    placement: 'edge',
    codec: 'none',
    headNodes: costs.work.nodes.length,
    edgeMs: wholeMs,
    edgeP99Ms: wholeMs * p99Ratio,
    edgeWeightsBytes: costs.wholeWeightsBytes,
    source: { edge: costs.edge.wholeMeasured ? 'measured' : 'nodes', cloud: 'none' },
    keeps: true,
  };
}

const NOTHING = {
  crossing: [],
  headNodes: 0,
  edgeMs: 0,
  edgeP99Ms: 0,
  encodeMs: 0,
  uplinkBytes: 0,
  decodeMs: 0,
  cloudMs: 0,
  cloudP99Ms: 0,
  downlinkBytes: 0,
  edgeWeightsBytes: 0,
  crossingMs: 0,
  loss: 0,
  fusion: null,
  sendsInput: false,
  calibrated: null,
} as const;

/** The whole model in the cloud: its inputs in each codec, and as each image. */
export function cloudOnly(costs: PlanCosts, codecs: readonly PlanCodec[], images: readonly ImageInput[]): Candidate[] {
  const { wholeMs, p99Ratio } = costs.cloud;
  const inputs = costs.values.filter(({ producer }) => producer < 0).map(({ name }) => name);
  const base = {
    ...NOTHING,
    placement: 'cloud' as const,
    cloudMs: wholeMs,
    cloudP99Ms: wholeMs * p99Ratio,
    downlinkBytes: sum(costs.outputBytes),
    crossingMs: sum(costs.answerMs),
    source: { edge: 'none' as const, cloud: costs.cloud.wholeMeasured ? ('measured' as const) : ('nodes' as const) },
    sendsInput: inputs.length > 0,
    keeps: costs.kept.nodes.length === 0 && costs.kept.values.size === 0,
  };
  const coded = codecs.flatMap((codec) => {
    const sent = sendAll(costs, inputs, uniform(codec, codecs));
    return sent === null ? [] : [{ ...base, ...sent, crossingMs: sent.crossingMs + base.crossingMs }];
  });
  const name = inputs[0];
  if (inputs.length !== 1 || name === undefined) return coded;
  const asImages = images.map((image) => ({
    ...base,
    crossing: [{ name, codec: image.name, bytes: image.bytes }],
    codec: image.name,
    uplinkBytes: image.bytes,
    encodeMs: image.encodeMs,
    decodeMs: image.decodeMs,
    crossingMs: crossingMs(costs, image.bytes) + base.crossingMs,
    loss: image.maxLoss,
  }));
  return [...coded, ...asImages];
}

/** Which codec each value is sent in; null when none takes it. */
export type Coding = (name: string, costs: PlanCosts) => { readonly codec: PlanCodec; readonly bytes: number } | null;

/** One codec for all; values that it does not take go in the first lossless one that does. */
export function uniform(codec: PlanCodec, codecs: readonly PlanCodec[]): Coding {
  const order = [codec, ...codecs.filter((other) => other !== codec && other.maxLoss === 0)];
  return (name, costs) => {
    const value = costs.valueByName.get(name)?.profiled ?? null;
    if (value === null || !canSend(costs, name)) return null;
    for (const one of order) {
      const bytes = codedBytes(one, value);
      if (bytes !== null) return { codec: one, bytes };
    }
    return null;
  };
}

/** Whether a value may leave the edge. */
export function canSend(costs: PlanCosts, name: string): boolean {
  return costs.valueByName.get(name)?.mayCross === true && !costs.kept.values.has(name);
}

/** Without the answer. */
export function crossingMs({ crossing }: PlanCosts, uplinkBytes: number): number {
  return crossing.perFrameMs + (crossing.perMegabyteMs * uplinkBytes) / 1e6;
}

type Sent = Pick<
  Candidate,
  'crossing' | 'codec' | 'uplinkBytes' | 'encodeMs' | 'decodeMs' | 'crossingMs' | 'loss' | 'fusion'
>;

function sendAll(costs: PlanCosts, names: readonly string[], coding: Coding): Sent | null {
  const sent = { uplinkBytes: 0, encodeMs: 0, decodeMs: 0, loss: 0 };
  const crossing: Crossing[] = [];
  for (const name of names) {
    const coded = coding(name, costs);
    if (coded === null) return null;
    const { codec, bytes } = coded;
    const megabytes = (costs.valueByName.get(name)?.profiled?.bytes ?? 0) / 1e6;
    crossing.push({ name, codec: codec.name, bytes });
    sent.uplinkBytes += bytes;
    sent.encodeMs += codec.encodeMsPerMegabyte * megabytes;
    sent.decodeMs += codec.decodeMsPerMegabyte * megabytes;
    sent.loss = Math.max(sent.loss, codec.maxLoss);
  }
  const fusion = names.map((name) => costs.valueByName.get(name)?.fusion ?? null).find((pair) => pair !== null);
  return {
    ...sent,
    crossing,
    codec: [...new Set(crossing.map((one) => one.codec))].join('+'),
    crossingMs: crossingMs(costs, sent.uplinkBytes),
    fusion: fusion ?? null,
  };
}

/** What a head costs on both sides, whatever the codec; of the crossing, the answer's part. */
export type HeadCosts = Omit<Candidate, Exclude<keyof Sent, 'crossingMs'> | 'sendsInput'>;

/** Marks what the tensors depend on. */
export function markHead({ work }: PlanCosts, tensors: readonly string[], onEdge: Uint8Array): void {
  onEdge.fill(0);
  const waiting: number[] = [];
  const visit = (name: string): void => {
    const at = work.producer.get(name);
    if (at === undefined || onEdge[at] === 1) return;
    onEdge[at] = 1;
    waiting.push(at);
  };
  for (const name of tensors) visit(name);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of work.nodes[at]?.reads ?? []) visit(name);
  }
}

/** @param onEdge 1 for every node of the head. */
export function headCosts(costs: PlanCosts, onEdge: Uint8Array, tensors: readonly string[]): HeadCosts {
  const key = cutKey(costs.graph, tensors);
  const head = costs.edge.measured.get(key);
  const tail = costs.cloud.measured.get(key);
  let edgeMs = 0;
  let cloudMs = 0;
  let downlinkBytes = 0;
  let answerMs = 0;
  let headNodes = 0;
  for (let at = 0; at < onEdge.length; at++) {
    if (onEdge[at] === 1) {
      edgeMs += costs.edge.nodeMs[at] as number;
      headNodes++;
    } else {
      cloudMs += costs.cloud.nodeMs[at] as number;
      downlinkBytes += costs.outputBytes[at] as number;
      answerMs += costs.answerMs[at] as number;
    }
  }
  let edgeWeightsBytes = 0;
  for (const { bytes, nodes } of costs.weights) {
    if (nodes.some((node) => onEdge[node] === 1)) edgeWeightsBytes += bytes;
  }
  return {
    placement: 'split',
    headNodes,
    edgeMs: head?.ms ?? edgeMs,
    edgeP99Ms: head?.p99Ms ?? (head?.ms ?? edgeMs) * costs.edge.p99Ratio,
    cloudMs: tail?.ms ?? cloudMs,
    cloudP99Ms: tail?.p99Ms ?? (tail?.ms ?? cloudMs) * costs.cloud.p99Ratio,
    downlinkBytes,
    crossingMs: answerMs,
    edgeWeightsBytes,
    source: { edge: head === undefined ? 'nodes' : 'measured', cloud: tail === undefined ? 'nodes' : 'measured' },
    keeps: costs.kept.nodes.every((node) => onEdge[node] === 1),
    calibrated: null,
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A split of a head; null when a value can be sent in no codec. */
export function splitCandidate(
  costs: PlanCosts,
  head: HeadCosts,
  names: readonly string[],
  coding: Coding,
): Candidate | null {
  const sent = sendAll(costs, names, coding);
  if (sent === null) return null;
  return {
    ...head,
    ...sent,
    crossingMs: sent.crossingMs + head.crossingMs,
    sendsInput: names.some((name) => costs.rawValues.has(name)),
  };
}
