// This machine -> how long it codes and decodes a made-up activation with each codec, on one thread.
import {
  type ActivationCodec,
  type Clock,
  decodeActivation,
  encodeActivation,
  float32Tensor,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  seededRandom,
  type Tensor,
} from '@kerf/protocol';
import type { CodedKind, CodingSpeed, CodingSpeeds } from '../plan/coding-speed.ts';
import { median, TimedRuns, tickOf } from './timed-runs.ts';

const SHAPE = [1, 32, 64, 64] as const;
const WARM_UP_RUNS = 4;
const MIN_RUNS = 3;
const MAX_RUNS = 15;

/** The odds of the made-up table are learned from so little: what is timed is the coder, not the learning. */
const TAUGHT_SHAPE = [1, 32, 16, 16] as const;
const LEVELS = 16;

/** With all that calibration writes, so that what is timed is what will run: at 2.1 bit, distances are coded too. */
function madeUpTable(): LevelTable {
  const [, channels] = SHAPE;
  const plain: LevelTable = {
    id: '0'.repeat(64),
    channelAxis: 1,
    rank: SHAPE.length,
    channels: Array.from({ length: channels }, () => ({
      thresholds: Float32Array.from({ length: LEVELS - 1 }, (_, level) => level * 0.1 + 0.05),
      values: Float32Array.from({ length: LEVELS }, (_, level) => level * 0.1),
    })),
    order: Array.from({ length: channels }, (_, channel) => channel),
    groups: [channels],
    priors: null,
    restoration: null,
    golden: null,
  };
  const values = madeUpActivation(TAUGHT_SHAPE, 2);
  return learnPriors(plain, [{ shape: TAUGHT_SHAPE, levels: quantiseLevels(values, TAUGHT_SHAPE, plain) }]);
}

/**
 * The activation is always the same, so that the speeds of two machines compare.
 * @param budgetMs a few runs are made however little it is.
 */
export async function measureCoding(clock: Clock, budgetMs: number): Promise<CodingSpeeds> {
  const activation = float32Tensor(SHAPE, madeUpActivation(SHAPE, 1));
  const table = madeUpTable();
  const tables = new Map([[table.id, table]]);
  const codecs: readonly (ActivationCodec & { readonly kind: CodedKind })[] = [
    { kind: 'lossless' },
    { kind: 'float16' },
    { kind: 'uint8', channelAxis: 1 },
    { kind: 'levels', table },
  ];
  const tickMs = tickOf(clock);
  const speeds: Partial<Record<CodedKind, CodingSpeed>> = {};
  for (const codec of codecs) {
    const encode = () => encodeActivation(activation, codec);
    const { codec: coded, bytes } = encode();
    const payload = { codec: coded, dtype: activation.dtype, shape: activation.shape, bytes };
    const decode = () => decodeActivation(payload, tables, activation.data.byteLength);
    const timer = { clock, tickMs, budgetMs: budgetMs / (2 * codecs.length) };
    speeds[codec.kind] = {
      encodeMsPerMegabyte: await msPerMegabyte(timer, activation, encode),
      decodeMsPerMegabyte: await msPerMegabyte(timer, activation, decode),
    };
  }
  return speeds;
}

interface Timer {
  readonly clock: Clock;
  readonly tickMs: number;
  readonly budgetMs: number;
}

async function msPerMegabyte(
  { clock, tickMs, budgetMs }: Timer,
  { data }: Tensor,
  run: () => unknown,
): Promise<number> {
  const endMs = clock.nowMs() + budgetMs;
  const runs = new TimedRuns(clock, tickMs, async () => run());
  await runs.warmUp(WARM_UP_RUNS);
  const { samplesMs } = runs;
  while (samplesMs.length < MIN_RUNS || (samplesMs.length < MAX_RUNS && clock.nowMs() < endMs)) await runs.sample();
  return Math.round((median(samplesMs) / data.byteLength) * 1e9) / 1e3;
}

/** As a convolution with a rectifier leaves it: smooth along rows and columns, about half of it zero. */
function madeUpActivation([, channels, height, width]: typeof SHAPE | typeof TAUGHT_SHAPE, seed: number): Float32Array {
  const random = seededRandom(seed);
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
  return values;
}
