// The table that is written: which of the two ways to tell magnitudes it takes, by samples that did not teach.
import { float32Tensor, type LevelTable, type Random, seededRandom, type Tensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { finishTable } from '../../src/codec/finish-table.ts';

const SHAPE = [1, 2, 48, 48];
const [, CHANNELS = 0, ROWS = 0, COLUMNS = 0] = SHAPE;
/** Levels are as far from 0 as this, on both sides. */
const MOST = 8;
const DESIGN: LevelTable = {
  id: '',
  channelAxis: 1,
  rank: 4,
  channels: Array.from({ length: CHANNELS }, () => ({
    thresholds: Float32Array.from({ length: 2 * MOST }, (_, at) => at - MOST + 0.5),
    values: Float32Array.from({ length: 2 * MOST + 1 }, (_, at) => at - MOST),
  })),
  order: Array.from({ length: CHANNELS }, (_, at) => at),
  groups: [CHANNELS],
  priors: null,
  restoration: null,
  golden: null,
};

/** Half of the values are usual; the others are as far away as `distance` says. */
function tensorOf(seed: number, distance: (random: Random) => number): Tensor {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: CHANNELS * ROWS * COLUMNS }, () => {
    const size = random() < 0.5 ? 0 : Math.min(MOST, distance(random));
    return random() < 0.5 ? size : -size;
  });
  return float32Tensor(SHAPE, values);
}

const magnitudesOf = async (tensors: readonly Tensor[]): Promise<Uint8Array | null | undefined> =>
  (await finishTable(DESIGN, tensors, null, 1000)).table.priors?.magnitudes;

describe('magnitudes are told', () => {
  test('in groups where samples are alike', async () => {
    const geometric = (random: Random): number => 1 + Math.floor(-2 * Math.log(1 - random()));
    const tensors = Array.from({ length: 12 }, (_, seed) => tensorOf(seed, geometric));
    expect(await magnitudesOf(tensors)).not.toBeNull();
  });

  test('one by one, with odds that adapt, where each sample has distances of its own', async () => {
    const tensors = Array.from({ length: 8 }, (_, seed) => tensorOf(seed, () => 1 + seed));
    expect(await magnitudesOf(tensors)).toBeNull();
  });

  test('one by one where no sample is left to compare on', async () => {
    expect(await magnitudesOf([tensorOf(1, () => 1)])).toBeNull();
  });
});
