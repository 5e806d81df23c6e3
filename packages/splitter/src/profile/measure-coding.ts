// This machine -> how long it codes and decodes a made-up activation with each codec, on one thread.
import {
  type ActivationCodec,
  type Clock,
  decodeActivation,
  encodeActivation,
  float32Tensor,
  seededRandom,
  type Tensor,
} from '@kerf/protocol';
import type { CodedKind, CodingSpeed, CodingSpeeds } from '../plan/coding-speed.ts';
import { median, TimedRuns, tickOf } from './timed-runs.ts';

const SHAPE = [1, 32, 64, 64] as const;
const WARM_UP_RUNS = 4;
const RUNS = 9;

const CODECS: readonly (ActivationCodec & { readonly kind: CodedKind })[] = [
  { kind: 'lossless' },
  { kind: 'float16' },
  { kind: 'uint8', channelAxis: 1 },
];

/** Takes a good half second, less on a fast machine. The activation is always the same. */
export async function measureCoding(clock: Clock): Promise<CodingSpeeds> {
  const activation = madeUpActivation();
  const tickMs = tickOf(clock);
  const speeds: Partial<Record<CodedKind, CodingSpeed>> = {};
  for (const codec of CODECS) {
    const encode = () => encodeActivation(activation, codec);
    const { codec: coded, bytes } = encode();
    const payload = { codec: coded, dtype: activation.dtype, shape: activation.shape, bytes };
    const decode = () => decodeActivation(payload, new Map(), activation.data.byteLength);
    speeds[codec.kind] = {
      encodeMsPerMegabyte: await msPerMegabyte(clock, tickMs, activation, encode),
      decodeMsPerMegabyte: await msPerMegabyte(clock, tickMs, activation, decode),
    };
  }
  return speeds;
}

async function msPerMegabyte(clock: Clock, tickMs: number, { data }: Tensor, run: () => unknown): Promise<number> {
  const runs = new TimedRuns(clock, tickMs, async () => run());
  await runs.warmUp(WARM_UP_RUNS);
  for (let at = 0; at < RUNS; at++) await runs.sample();
  return Math.round((median(runs.samplesMs) / data.byteLength) * 1e9) / 1e3;
}

/** As a convolution with a rectifier leaves it: smooth along rows and columns, about half of it zero. */
function madeUpActivation(): Tensor {
  const [, channels, height, width] = SHAPE;
  const random = seededRandom(1);
  const values = new Float32Array(channels * height * width);
  const above = new Float64Array(width);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    above.fill(0);
    for (let row = 0; row < height; row++) {
      let left = 0;
      for (let column = 0; column < width; column++) {
        left = 0.45 * left + 0.45 * (above[column] as number) + (random() - 0.5);
        above[column] = left;
        values[at++] = Math.max(0, left);
      }
    }
  }
  return float32Tensor(SHAPE, values);
}
