// A session and a way to make its inputs -> timed frames; timed frames -> medians. The demo and `--measure` share it.
import { EdgeSession, type FrameInputs, type FrameResult } from '@kerf/edge-runtime';
import { type OpenedSplit, wsConnect } from '@kerf/edge-runtime/node';
import { KerfError, type LoadedModel, type TensorMap } from '@kerf/protocol';
import { compareTensors } from '@kerf/splitter';
import type { FrameParts } from './placements.ts';

/** Reports show the difference itself. */
const ANY = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY };
/** For connecting over a slow link and for the cloud to load the model, while it loads others too. */
const CONNECT_TIMEOUT_MS = 60_000;
/** Seldom, since pings of idle sessions share the link with the frame that is measured. */
const PING_INTERVAL_MS = 15_000;

export interface CloudAccess {
  readonly url: string;
  /** PEM text. */
  readonly ca: string;
  readonly token: string;
}

/** What a session has on the device: a split, the whole model, or nothing. */
export type OnDevice =
  | { readonly kind: 'split'; readonly opened: Pick<OpenedSplit, 'split' | 'head' | 'tables'> }
  | { readonly kind: 'whole'; readonly model: LoadedModel }
  /** `inputCodec`: how tensors cross. */
  | { readonly kind: 'nothing'; readonly inputCodec: 'raw' | 'lossless' };

/**
 * A session that is connected to its cloud, or runs on the device.
 * @param modelId in the cloud; null: everything runs on the device.
 * @throws {KerfError} with what the cloud said when it cannot be reached.
 */
export async function openSession(
  device: OnDevice,
  modelId: string | null,
  { url, ca, token }: CloudAccess,
): Promise<EdgeSession> {
  const cloud = modelId === null ? null : { model: modelId, connect: wsConnect({ url, ca }), token };
  const session = await EdgeSession.open({
    split: device.kind === 'split' ? device.opened.split : null,
    head: device.kind === 'split' ? device.opened.head : null,
    ...(device.kind === 'split' ? { tables: device.opened.tables } : {}),
    local: device.kind === 'whole' ? { whole: device.model } : null,
    cloud,
    options: {
      pingIntervalMs: PING_INTERVAL_MS,
      peerTimeoutMs: 4 * PING_INTERVAL_MS,
      inputCodec: device.kind === 'nothing' ? device.inputCodec : 'raw',
    },
  });
  if (cloud === null) return session;
  const state = await session.waitForCloud(CONNECT_TIMEOUT_MS);
  if (state.connected) return session;
  session.close();
  throw new KerfError(state.code, state.message);
}

export interface TimedFrame {
  /** Making the inputs. */
  readonly prepareMs: number;
  /** From `infer` to the outcome. */
  readonly inferMs: number;
  readonly result: FrameResult;
  /** Null without a reference. */
  readonly maxAbsDifference: number | null;
}

/** @throws {KerfError} with the code of a frame that failed. */
export async function timeFrame(
  session: EdgeSession,
  prepare: () => FrameInputs | Promise<FrameInputs>,
  { reference, deadlineMs }: { readonly reference: TensorMap | null; readonly deadlineMs: number },
): Promise<TimedFrame> {
  const startedMs = performance.now();
  const inputs = await prepare();
  const preparedMs = performance.now();
  const outcome = await session.infer(inputs, { deadlineMs });
  const endedMs = performance.now();
  if (outcome.kind === 'failed') throw new KerfError(outcome.code, outcome.message);
  return {
    prepareMs: preparedMs - startedMs,
    inferMs: endedMs - preparedMs,
    result: outcome,
    maxAbsDifference: reference === null ? null : largestDifference(reference, outcome.outputs),
  };
}

function largestDifference(expected: TensorMap, actual: TensorMap): number {
  const differences = [...expected].map(([name, tensor]) => {
    const other = actual.get(name);
    if (other === undefined) throw new KerfError('VERIFY_FAILED', `output '${name}' is missing`);
    return compareTensors(tensor, other, ANY).maxAbsolute;
  });
  return Math.max(0, ...differences);
}

/** Nearest rank: with few values the 99th percentile is the largest. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function medianOf<T>(items: readonly T[], read: (item: T) => number): number {
  return quantile(items.map(read), 0.5);
}

/** Medians of the parts of frames. */
export function partsOf(frames: readonly TimedFrame[]): FrameParts {
  const of = (read: (spans: FrameResult['spans']) => number): number =>
    medianOf(frames, ({ result }) => read(result.spans));
  return {
    prepareMs: medianOf(frames, ({ prepareMs }) => prepareMs),
    queueMs: of(({ queueMs }) => queueMs),
    headMs: of(({ headMs }) => headMs),
    localMs: of(({ localMs }) => localMs),
    encodeMs: of(({ encodeMs }) => encodeMs),
    networkMs: of(({ networkMs }) => networkMs),
    cloudMs: of(({ cloudMs }) => cloudMs),
    cloudQueueMs: of(({ cloud }) => cloud?.queueMs ?? 0),
    cloudDecodeMs: of(({ cloud }) => cloud?.decodeMs ?? 0),
    cloudComputeMs: of(({ cloud }) => cloud?.computeMs ?? 0),
    decodeMs: of(({ decodeMs }) => decodeMs),
  };
}
