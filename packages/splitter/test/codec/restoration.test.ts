// Channels that share something, coarsely quantised: what comes back is nearer when all of them are asked.
import {
  float32Tensor,
  type LevelTable,
  quantiseLevels,
  reconstructLevels,
  seededRandom,
  type Tensor,
  typedView,
} from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { blended, fitRestoration } from '../../src/codec/fit-restoration.ts';
import type { LevelDesign, LevelTensor } from '../../src/codec/level-design.ts';
import { OutputDistance } from '../../src/codec/output-distance.ts';
import { type OutputProbe, restoredDesign } from '../../src/codec/restored-design.ts';

const SHAPE = [2, 6, 12, 10];
const valuesOf = (tensor: Tensor): Float32Array => typedView(tensor as Tensor & { dtype: 'float32' });

/** Six mixtures of `hidden` fields of noise; fewer than six share much, six of them nothing. */
function mixtures(seed: number, hidden: number): Tensor {
  const random = seededRandom(seed);
  const noise = (): number => random() + random() + random() - 1.5;
  const values = new Float32Array(SHAPE.reduce((product, size) => product * size, 1));
  const plane = 120;
  for (let item = 0; item < 2; item++) {
    for (let place = 0; place < plane; place++) {
      const fields = Array.from({ length: hidden }, noise);
      for (let channel = 0; channel < 6; channel++) {
        const mixed = fields.reduce((sum, field, at) => sum + field * Math.cos(channel * 2 + at), 0);
        values[(item * 6 + channel) * plane + place] = hidden === 6 ? (fields[channel] as number) : mixed;
      }
    }
  }
  return float32Tensor(SHAPE, values);
}

const channel = { thresholds: Float32Array.of(-0.4, 0.4), values: Float32Array.of(-0.8, 0, 0.8) };
/** The last channel is not sent at all. */
const table: LevelTable = {
  id: '',
  channelAxis: 1,
  rank: 4,
  channels: [
    ...Array.from({ length: 5 }, () => channel),
    { thresholds: Float32Array.of(), values: Float32Array.of(0) },
  ],
  order: [0, 1, 2, 3, 4, 5],
  groups: [6],
  priors: null,
  golden: null,
  restoration: null,
};

function squaredError(
  tensor: Tensor,
  { restoration }: Pick<LevelTable, 'restoration'>,
  only: number | null = null,
): number {
  const used = { ...table, restoration };
  const values = valuesOf(tensor);
  const back = reconstructLevels(quantiseLevels(values, SHAPE, used), SHAPE, used);
  return values.reduce((sum, value, at) => {
    const isOf = only === null || Math.floor(at / 120) % 6 === only;
    return isOf ? sum + (value - (back[at] as number)) ** 2 : sum;
  }, 0);
}

const samplesOf = (hidden: number): Tensor[] => Array.from({ length: 20 }, (_, seed) => mixtures(seed + 1, hidden));

describe('a restoration', () => {
  test('brings back much of what channels share, of the one that is not sent too', () => {
    const restoration = fitRestoration(samplesOf(2), table);
    const fresh = mixtures(99, 2);
    expect(squaredError(fresh, { restoration })).toBeLessThan(0.6 * squaredError(fresh, { restoration: null }));
    expect(squaredError(fresh, { restoration }, 5)).toBeLessThan(0.5 * squaredError(fresh, { restoration: null }, 5));
  });

  test('harms nothing where channels share nothing', () => {
    const restoration = fitRestoration(samplesOf(6), table);
    const fresh = mixtures(99, 6);
    expect(squaredError(fresh, { restoration })).toBeLessThan(1.02 * squaredError(fresh, { restoration: null }));
  });

  test('of no strength is none, and of half lies between', () => {
    const fit = fitRestoration(samplesOf(2), table);
    if (fit === null) throw new Error('there are places to learn from');
    const fresh = mixtures(99, 2);
    const at = (strength: number): number => squaredError(fresh, { restoration: blended(fit, table, strength) });
    expect(at(0)).toBeCloseTo(squaredError(fresh, { restoration: null }), 4);
    expect(at(0.5)).toBeLessThan(at(0));
    expect(at(1)).toBeLessThan(at(0.5));
  });

  test('is taken as far as outputs get nearer, and not at all where they do not', async () => {
    const tensor = {
      name: 'x',
      channelAxis: 1,
      rank: 4,
      channels: [],
      samples: samplesOf(2),
    } as unknown as LevelTensor;
    const design: LevelDesign = { tables: new Map([['x', table]]), bitsPerValue: 1 };
    const weightOf = (tables: ReadonlyMap<string, LevelTable>): number =>
      tables.get('x')?.restoration?.[5]?.weights[2] ?? 0;
    const taken = async (distance: (weight: number) => number): Promise<LevelDesign> => {
      const probe: OutputProbe = async (tables) => {
        const outputs = (value: number): Map<string, Tensor> =>
          new Map([['y', float32Tensor([1], Float32Array.of(value))]]);
        const probed = new OutputDistance();
        probed.add(outputs(1), outputs(1 + Math.sqrt(distance(weightOf(tables)))));
        return probed;
      };
      return await restoredDesign(design, [tensor], probe, 'each');
    };
    const full = weightOf((await taken((weight) => 0.9 - Math.abs(weight))).tables);
    expect(Math.abs(full)).toBeGreaterThan(0.05);
    const nearest = await taken((weight) => Math.abs(weight / full - 0.55));
    expect(weightOf(nearest.tables) / full).toBeCloseTo(0.6, 5);
    expect((await taken(Math.abs)).tables.get('x')?.restoration).toBeNull();
  });

  test('is not looked for among more channels than there is time for', () => {
    const channels = Array.from({ length: 513 }, () => channel);
    const wide = { ...table, channels, order: channels.map((_, at) => at), groups: [513] };
    expect(fitRestoration([float32Tensor([1, 513, 1, 1], new Float32Array(513))], wide)).toBeNull();
  });
});
