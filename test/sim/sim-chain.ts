// A chain of three segments over bytes: each segment says which release it is of, and the score says which picture it was.
import type { OpenedChain } from '@kerf/edge-runtime';
import { type ChainManifest, float32Tensor, type LoadedModel, type Tensor, type TensorMap } from '@kerf/protocol';
import type { ProcessClock } from './process-clock.ts';

export const CHAIN_MODEL = 'sim/chain';
export const SEGMENTS = 3;
/** Pictures have this many pixels a side. */
export const SIDE = 4;
const PIXELS = 3 * SIDE * SIDE;
/** What crosses before each segment. */
const NAMES = ['image', 'a', 'b', 'score'] as const;

const specs = [
  { name: 'image', dtype: 'uint8' as const, shape: [1, 3, SIDE, SIDE] },
  { name: 'a', dtype: 'uint8' as const, shape: ['n', 'k'] },
  { name: 'b', dtype: 'uint8' as const, shape: ['n', 'k'] },
  { name: 'score', dtype: 'float32' as const, shape: [1, 1] },
];

/** Names the division of release `version` before segment `at` to the cloud. */
export function chainPairOf(version: number, at: number): string {
  return `${String(version).repeat(63)}${at}`;
}

/** What frames bring and get, by the segment that they enter at. */
export const ENTRIES = [0, 1, 2].map((at) => ({ inputs: [NAMES[at] as string], outputs: ['score'] }));
export const SEGMENT_SPECS = [0, 1, 2].map((at) => ({ inputs: [specs[at]!], outputs: [specs[at + 1]!] }));
export const ENTRY_SPECS = [0, 1, 2].map((at) => ({ inputs: [specs[at]!], outputs: [specs[3]!] }));

/** The bytes before segment `from` -> those behind segment `until - 1`; at the end the score as float32. */
export function through(bytes: Uint8Array, from: number, until: number, version: number): Uint8Array {
  let now = bytes;
  for (let at = from; at < until && at < SEGMENTS - 1; at++) now = Uint8Array.from([version, ...now]);
  return until < SEGMENTS ? now : new Uint8Array(Float32Array.of(scoreOf(now, version)).buffer);
}

/** Of what stands before the last segment; a pair that does not fit together gives a score that no part has. */
function scoreOf([second, first, device = 0, part = 0]: Uint8Array, version: number): number {
  return first === version && second === version ? partScore(device, part) : 0.5;
}

/** Every third part is bad; the score names device and part, so that no other part's can be taken for it. */
export function partScore(device: number, part: number): number {
  return (part % 3 === 0 ? 0.8 : 0.1) + part * 0.001 + device * 0.05;
}

export const THRESHOLDS = { passBelow: 0.3, ngAbove: 0.7 };

/**
 * Pixels that say whose picture it is, and are neither flat nor dark. The tensor has all red values first: those of the first
 * two pixels are its first two bytes.
 */
export function pixelsOf(device: number, part: number): Uint8Array {
  return Uint8Array.from({ length: PIXELS }, (_, at) => (at === 0 ? device : at === 3 ? part : 60 + at));
}

export class SimSegment implements LoadedModel {
  readonly inputs;
  readonly outputs;
  readonly #at: number;
  readonly #version: number;
  readonly #clock: ProcessClock;
  readonly #runMs: () => number;

  constructor(at: number, version: number, clock: ProcessClock, runMs: () => number) {
    this.inputs = [specs[at]!];
    this.outputs = [specs[at + 1]!];
    this.#at = at;
    this.#version = version;
    this.#clock = clock;
    this.#runMs = runMs;
  }

  async run(inputs: TensorMap): Promise<TensorMap> {
    await this.#clock.sleep(this.#runMs());
    const { data } = inputs.get(NAMES[this.#at] as string) as Tensor;
    const made = through(data, this.#at, this.#at + 1, this.#version);
    const tensor: Tensor =
      this.#at + 1 < SEGMENTS
        ? { dtype: 'uint8', shape: [1, made.byteLength], data: made }
        : { dtype: 'float32', shape: [1, 1], data: made };
    return new Map([[NAMES[this.#at + 1] as string, tensor]]);
  }

  async dispose(): Promise<void> {}
}

/** Says of every part that it is to be looked at: sure of nothing. */
export class SimSmallModel implements LoadedModel {
  readonly inputs = [specs[0]!];
  readonly outputs = [specs[3]!];
  readonly #clock: ProcessClock;

  constructor(clock: ProcessClock) {
    this.#clock = clock;
  }

  async run(): Promise<TensorMap> {
    await this.#clock.sleep(3);
    return new Map([['score', float32Tensor([1, 1], Float32Array.of(0.5))]]);
  }

  async dispose(): Promise<void> {}
}

const file = (name: string) => ({ file: name, sha256: 'a'.repeat(64), bytes: 1 });

/** Release `version`, its first `resident` segments on the device. */
export function openSimChain(version: number, resident: number, clock: ProcessClock, runMs: () => number): OpenedChain {
  const chain: ChainManifest = {
    format: 'kerf-chain/1',
    source: file('m.onnx'),
    modelInputs: ['image'],
    modelOutputs: ['score'],
    segments: [0, 1, 2].map((at) => ({
      ...file(`segment-${at}.onnx`),
      nodes: 1,
      inputs: [NAMES[at] as string],
      outputs: [NAMES[at + 1] as string],
      externalData: null,
      usesSharedData: false,
      id: String(at).repeat(64),
    })),
    cuts: [1, 2].map((at) => ({
      tensors: [NAMES[at] as string],
      bytes: PIXELS + at,
      codec: { kind: 'raw' },
      reign: null,
    })),
    tensors: specs,
    sharedData: null,
    choice: null,
    chain: String(version).repeat(64),
    createdBy: 'simulation',
  };
  return {
    chain,
    segments: Array.from({ length: resident }, (_, at) => new SimSegment(at, version, clock, runMs)),
    pairs: [0, 1, 2].map((at) => chainPairOf(version, at)),
    codings: new Map(),
    dispose: () => Promise.resolve(),
  };
}
