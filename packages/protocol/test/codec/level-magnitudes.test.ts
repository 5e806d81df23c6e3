// Magnitudes in groups: every distance has one place, weights become odds, and what a table says of them is checked.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typescriptMachine } from '../../src/codec/level-machine.ts';
import {
  GROUP_BITS,
  GROUP_FIRST,
  GROUP_OF,
  groupEdges,
  MAX_WEIGHT,
  magnitudeWeights,
} from '../../src/codec/level-magnitudes.ts';
import { SET_MAGNITUDES } from '../../src/codec/level-numbers.ts';
import { decodeLevelValues, encodeLevels } from '../../src/codec/levels-codec.ts';
import {
  KerfError,
  type LevelPriors,
  type LevelTable,
  learnPriors,
  readLevelTable,
  reconstructLevels,
  seededRandom,
  writeLevelTable,
} from '../../src/index.ts';
import { signedChannel, tableOf } from './support/tables.ts';

describe('magnitudes in groups', () => {
  it('give each distance of 1 to 63 one group and one place in it', () => {
    const told = [...GROUP_FIRST].flatMap((first, group) =>
      Array.from({ length: 2 ** GROUP_BITS[group]! }, (_, rest) => first + rest),
    );
    expect(told.slice(0, 63)).toEqual(Array.from({ length: 63 }, (_, at) => at + 1));
    for (let magnitude = 1; magnitude < 64; magnitude++) {
      const group = GROUP_OF[magnitude]!;
      expect(magnitude - GROUP_FIRST[group]!).toBeLessThan(2 ** GROUP_BITS[group]!);
    }
  });

  it('leave every group a part of the range, whatever the weights', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16, max: MAX_WEIGHT }), (weights) => {
        const edges = [...groupEdges(weights), 2 ** 14];
        expect(edges[0]).toBe(0);
        for (let group = 0; group < 16; group++) expect(edges[group + 1]! - edges[group]!).toBeGreaterThan(0);
      }),
    );
  });

  it('learn odds that are near to what was seen, and in contexts never seen those of other sets', () => {
    const counts = new Int32Array(2 * SET_MAGNITUDES);
    counts.set([600, 250, 100, 50]);
    const weights = magnitudeWeights(counts);
    const oddsAt = (from: number): number[] => {
      const edges = [...groupEdges(weights.slice(from, from + 16)), 2 ** 14];
      return edges.slice(1).map((edge, at) => (edge - edges[at]!) / 2 ** 14);
    };
    for (const from of [0, SET_MAGNITUDES]) {
      for (const [at, odds] of [0.6, 0.25, 0.1, 0.05].entries()) expect(oddsAt(from)[at]).toBeCloseTo(odds, 1.3);
    }
    for (const odds of oddsAt(16)) expect(odds).toBeCloseTo(1 / 16, 2);
  });

  it('cost about what they cost one by one, where that is exact, and come back', () => {
    const shape = [1, 6, 40, 40];
    const plain = tableOf(Array.from({ length: 6 }, () => signedChannel(63, 0.05)));
    // Far from the usual one as often as twice as far is half as likely.
    const levelsOf = (seed: number): Uint8Array => {
      const random = seededRandom(seed);
      const distance = (): number => Math.min(31, Math.floor(-6 * Math.log2(1 - random())));
      return Uint8Array.from({ length: 9600 }, () => 31 + (random() < 0.5 ? -1 : 1) * distance());
    };
    const samples = [1, 2, 3].map((seed) => ({ shape, levels: levelsOf(seed) }));
    const table = learnPriors(plain, samples);
    const levels = levelsOf(9);
    const bytes = encodeLevels(levels, shape, table, undefined, typescriptMachine);
    expect(decodeLevelValues(bytes, shape, table)).toEqual(reconstructLevels(levels, shape, table));
    const oneByOne = learnPriors(plain, samples, { isGrouped: false });
    const before = encodeLevels(levels, shape, oneByOne, undefined, typescriptMachine);
    expect(bytes.byteLength).toBeLessThan(before.byteLength * 1.03);
  });
});

describe('a table with magnitudes in groups', () => {
  const plain = tableOf([signedChannel(5, 1), signedChannel(9, 1)]);
  const table = learnPriors(plain, [{ shape: [1, 2, 3, 3], levels: new Uint8Array(18).fill(2) }]);
  const changed = (magnitudes: Uint8Array): LevelTable => ({
    ...table,
    priors: { ...(table.priors as LevelPriors), magnitudes },
  });

  it.each<[string, Uint8Array]>([
    ['a weight too large', new Uint8Array(SET_MAGNITUDES).fill(MAX_WEIGHT + 1)],
    ['weights of too few contexts', new Uint8Array(SET_MAGNITUDES - 16)],
  ])('is refused with %s', (_, magnitudes) => {
    expect(() => writeLevelTable(changed(magnitudes))).toThrow(KerfError);
  });

  it('is refused without the priors that they belong to', () => {
    const bytes = writeLevelTable(plain);
    bytes[4] = 8;
    expect(() => readLevelTable(bytes, 'id')).toThrow('magnitudes without priors');
  });
});
