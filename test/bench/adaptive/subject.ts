// A large graph with modelled costs -> its chain, the routes, what the profile expects of them, and what they really cost.
import { planPriors, type Route, type RoutePrior } from '@kerf/edge-runtime';
import { seededRandom } from '@kerf/protocol';
import {
  chooseCuts,
  type DeviceProfile,
  type PlanCodec,
  type PlanRequest,
  planChain,
  RAW_CODEC,
  statedLink,
} from '@kerf/splitter';
import { denseModel } from '../planning.ts';
import type { TrueRoute } from './world.ts';

export interface Subject {
  readonly routes: readonly Route[];
  readonly priors: ReadonlyMap<string, RoutePrior>;
  readonly truth: readonly TrueRoute[];
  /** Truly, one by one. */
  readonly segmentMs: readonly number[];
}

/** What calibration reaches on such networks, with what it costs; the input goes as a picture without loss. */
function coded({ values }: DeviceProfile): PlanCodec {
  const sizes = values.filter(({ name }) => name !== 'x').map(({ name, bytes }) => [name, bytes] as const);
  return {
    ...RAW_CODEC,
    name: 'coded',
    valueBytes: new Map(sizes.map(([name, bytes]) => [name, Math.ceil(((bytes ?? 0) / 32) * BITS_PER_VALUE)])),
    encodeMsPerMegabyte: 8,
    decodeMsPerMegabyte: 6,
    maxLoss: 0.5,
  };
}

const BITS_PER_VALUE = 0.8;
/** More than the one that is the best on nearly every link, so that there is something to choose. */
const CUTS = 2;
const PICTURE = { name: 'PNG', bytes: 110_000, encodeMs: 6, decodeMs: 3, maxLoss: 0 };

/** Profiles are off by so much, either way, for the device and for each segment and tail. */
const DEVICE_BIAS = 0.15;
const PART_BIAS = 0.1;

/** DenseNet-121 at 20 GFLOP/s on the device and 5 TFLOP/s in the cloud. */
export function subject(seed: number): Subject {
  return subjectAt(seed, 1);
}

/** The same on a device that finishes it in some 30 ms: hardly any link is worth crossing, and what is tried is lost. */
export function light(seed: number): Subject {
  return subjectAt(seed, LIGHT);
}

const LIGHT = 13;

function subjectAt(seed: number, deviceSpeed: number): Subject {
  const model = denseModel([6, 12, 24, 16]);
  const link = statedLink({ uplinkBitsPerSecond: 5e6, roundTripMs: 40 });
  const request: PlanRequest = { ...model, link, codecs: [coded(model.edge)], images: [PICTURE] };
  const { cuts: chosen } = chooseCuts(model.graph, { ...request, cuts: CUTS });
  const { cuts } = planChain(
    model.graph,
    chosen.map(({ tensors }) => tensors),
  );
  const planned = planPriors(
    model.graph,
    request,
    cuts.map(({ cut }) => ({ tensors: cut })),
  );
  const priors = new Map(
    [...planned].map(([name, prior]) => [name, { ...prior, edgeMs: prior.edgeMs / deviceSpeed }] as const),
  );
  const random = seededRandom(seed);
  const off = (by: number): number => 1 + by * (2 * random() - 1);
  const edgeBias = off(DEVICE_BIAS);
  const cloudBias = off(DEVICE_BIAS);
  const names = ['cloud', ...cuts.map((_, at) => `cut-${at + 1}`), 'edge'];
  const expected = names.map((name) => priors.get(name)).filter((prior) => prior !== undefined);
  const segmentMs = expected.slice(1).map(({ edgeMs }, at) => {
    return Math.max(0, edgeMs - (expected[at]?.edgeMs ?? 0)) * edgeBias * off(PART_BIAS);
  });
  const truth = names.map((name, at): TrueRoute => {
    const prior = priors.get(name);
    if (prior === undefined) throw new Error(`no price for ${name}`);
    const edgeMs = segmentMs.slice(0, at).reduce((sum, ms) => sum + ms, 0);
    return {
      ...prior,
      name,
      at,
      isRemote: name !== 'edge',
      edgeMs,
      cloudMs: prior.cloudMs * cloudBias * off(PART_BIAS),
    };
  });
  const routes = truth.map(({ name, at, uplinkBytes, isRemote }): Route => {
    const kind = name === 'cloud' ? 'cloud' : isRemote ? 'split' : 'edge';
    return { name, kind, at, crossing: [], uplinkBytes, refusal: null };
  });
  return { routes, priors, truth, segmentMs };
}
