// Level tables of any shape for tests, and activations that look like a network's.
import fc from 'fast-check';
import {
  type GoldenLevels,
  type LevelChannel,
  type LevelTable,
  quantiseLevels,
  type RestoredChannel,
  seededRandom,
} from '../../../src/index.ts';

/** Levels at 0, `step`, 2 `step`, ... as after a ReLU. */
export function reluChannel(count: number, step: number): LevelChannel {
  return {
    thresholds: Float32Array.from({ length: count - 1 }, (_, at) => (at + 0.6) * step),
    values: Float32Array.from({ length: count }, (_, at) => at * step),
  };
}

/** An odd number of levels around 0, with a wide one in the middle. */
export function signedChannel(count: number, step: number): LevelChannel {
  const half = (count - 1) / 2;
  return {
    thresholds: Float32Array.from(
      { length: count - 1 },
      (_, at) => (at < half ? at - half - 0.2 : at - half + 1.2) * step,
    ),
    values: Float32Array.from({ length: count }, (_, at) => (at - half) * step),
  };
}

export function tableOf(
  channels: readonly LevelChannel[],
  { rank = 4, channelAxis = 1, groups = [channels.length], golden = null as GoldenLevels | null } = {},
): LevelTable {
  const order = channels.map((_, index) => index);
  return { id: 'ab'.repeat(32), channelAxis, rank, channels, order, groups, priors: null, restoration: null, golden };
}

/** Blobs on a quiet ground, alike in neighbouring channels; the same seed gives the same values. */
export function blobs(channels: number, rows: number, columns: number, seed: number, noise = 0.3): Float32Array {
  const random = seededRandom(seed);
  const spots = Array.from({ length: 6 }, () => [
    random() * rows,
    random() * columns,
    1 + random() * rows * 0.2,
    random(),
  ]);
  const values = new Float32Array(channels * rows * columns);
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) {
        let sum = (random() - 0.5) * noise;
        for (const [y, x, size, phase] of spots as [number, number, number, number][]) {
          const distance = (row - y) * (row - y) + (column - x) * (column - x);
          if (distance < size * size) sum += 0.4 + Math.sin(phase * 6 + channel * 0.4);
        }
        values[at] = Math.max(0, sum);
      }
    }
  }
  return values;
}

/** Each channel from up to five others, with and without what is around. */
export function anyRestoration(channels: number, random: () => number): RestoredChannel[] {
  return Array.from({ length: channels }, () => {
    const sources = Uint16Array.from({ length: Math.floor(random() * 6) }, () => Math.floor(random() * channels));
    const weights = Float32Array.from({ length: sources.length + 2 }, () => random() * 2 - 1);
    if (random() < 0.4) weights[1] = 0;
    return { sources, weights };
  });
}

export interface AnyCase {
  readonly table: LevelTable;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Any rank, axis, size (0 and 1 too), number of levels, order, groups, with and without a golden part. */
export const anyCase: fc.Arbitrary<AnyCase> = fc
  .record({
    rank: fc.integer({ min: 1, max: 5 }),
    axis: fc.nat(4),
    sizes: fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 1, max: 12 })), { minLength: 5, maxLength: 5 }),
    channels: fc.integer({ min: 1, max: 9 }),
    levels: fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 64 })), {
      minLength: 9,
      maxLength: 9,
    }),
    groupEnds: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
    shuffle: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    spread: fc.double({ min: 0.1, max: 30, noNaN: true }),
    hasGolden: fc.boolean(),
    isRestored: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({ rank, axis, sizes, channels: count, levels, groupEnds, shuffle, spread, hasGolden, isRestored, seed }) => {
    const channelAxis = axis % rank;
    const shape = sizes.slice(0, rank);
    shape[channelAxis] = count;
    const random = seededRandom(seed);
    const channels = levels.slice(0, count).map((size, index) => {
      if (size % 2 === 1 && index % 2 === 0) return signedChannel(size, 1);
      return reluChannel(size, 1);
    });
    const order = channels.map((_, index) => index);
    const keys = order.map(() => shuffle.next().value as number);
    order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
    const groups: number[] = [];
    let size = 0;
    for (let place = 0; place < count; place++) {
      size++;
      if (groupEnds[place] === true || place === count - 1) {
        groups.push(size);
        size = 0;
      }
    }
    const base: LevelTable = { ...tableOf(channels, { rank, channelAxis, groups }), order };
    const valuesOf = (shape: readonly number[]): Float32Array =>
      Float32Array.from({ length: shape.reduce((product, each) => product * each, 1) }, () =>
        random() < 0.6 ? 0 : (random() - 0.4) * spread,
      );
    const goldenShape = shape.map((each, at) => (at === 0 && channelAxis > 0 ? 1 : each));
    const golden = hasGolden
      ? { shape: goldenShape, levels: quantiseLevels(valuesOf(goldenShape), goldenShape, base) }
      : null;
    const restoration = isRestored ? anyRestoration(count, random) : null;
    return { table: { ...base, golden, restoration }, shape, values: valuesOf(shape) };
  });
