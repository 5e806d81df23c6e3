// Parts are what their seed says, defects change what their masks say, and a set lies as it should.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transformer } from '@napi-rs/image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DEFECTS,
  type Defect,
  datasetParts,
  loadTextures,
  NEW_DEFECT,
  type PartPicture,
  PICTURE_SIZE,
  renderPart,
  SPLIT_NAMES,
  SURFACES,
  type Textures,
  writeDataset,
} from '../src/index.ts';
import { VISIBLE_LEVELS } from '../src/mask.ts';
import { seedsOf } from '../src/splits.ts';
import { defectTurns } from '../src/turns.ts';

const KINDS: readonly Defect[] = [...DEFECTS, NEW_DEFECT];
/** Pixels that the lens and the closing of gaps reach beyond what differs. */
const REACH = 4;
/** What the camera's noise, which grows with the light, adds to a difference. */
const NOISE_LEVELS = 4;

let textures: Textures;
let folder: string;

beforeAll(async () => {
  textures = await loadTextures();
  folder = await mkdtemp(join(tmpdir(), 'kerf-parts-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Largest difference of a channel, for each pixel. */
function differences(one: PartPicture, other: PartPicture): Uint8Array {
  const largest = new Uint8Array(PICTURE_SIZE ** 2);
  for (const [at, value] of one.image.data.entries()) {
    const pixel = Math.floor(at / 3);
    largest[pixel] = Math.max(largest[pixel]!, Math.abs(value - other.image.data[at]!));
  }
  return largest;
}

/** True within `reach` rows and columns of a pixel of the mask. */
function isNear(mask: Uint8Array, at: number, reach: number): boolean {
  const x = at % PICTURE_SIZE;
  const y = Math.floor(at / PICTURE_SIZE);
  for (let row = Math.max(0, y - reach); row <= Math.min(PICTURE_SIZE - 1, y + reach); row++) {
    for (let column = Math.max(0, x - reach); column <= Math.min(PICTURE_SIZE - 1, x + reach); column++) {
      if (mask[row * PICTURE_SIZE + column] === 1) return true;
    }
  }
  return false;
}

describe('one part', () => {
  test('the same seed gives the same bytes, now and in every later version', async () => {
    const hash = createHash('sha256');
    for await (const { picture } of datasetParts({ split: 'test', count: 12 })) {
      hash.update(picture.image.data).update(picture.mask).update(picture.text);
    }
    const fixture = { seed: 5, surface: 'turned', defect: NEW_DEFECT, fixture: 3 } as const;
    hash.update(renderPart(textures, fixture).image.data);
    // A change means that the committed models were trained and measured on other pictures: train them anew.
    expect(hash.digest('hex')).toBe('9315277caaa175f6d656cb03417b1e57014672c6f03c1213cd83c97c6cf67bc0');
  });

  test.each(KINDS)('%s: the mask holds what differs from the part without it, and only that', (defect) => {
    const request = { seed: 1_000 + KINDS.indexOf(defect), surface: 'milled' } as const;
    const damaged = renderPart(textures, { ...request, defect });
    const good = renderPart(textures, { ...request, defect: null });
    expect(good.mask.every((value) => value === 0)).toBe(true);
    expect([damaged.text, damaged.surface, damaged.defect]).toEqual([good.text, 'milled', defect]);
    const difference = differences(damaged, good);
    let inside = 0;
    let visible = 0;
    for (const [at, levels] of difference.entries()) {
      if (damaged.mask[at] === 1) {
        inside++;
        if (levels >= VISIBLE_LEVELS - NOISE_LEVELS) visible++;
      } else if (levels >= VISIBLE_LEVELS + NOISE_LEVELS) {
        expect.unreachable(`pixel ${at} differs by ${levels} and is not in the mask`);
      }
    }
    // The rest are gaps that were closed.
    expect(visible / inside).toBeGreaterThan(defect === 'missing_print' ? 0.4 : 0.6);
    const changed = [...difference.keys()].filter((at) => difference[at]! > NOISE_LEVELS);
    expect(changed.every((at) => isNear(damaged.mask, at, 40))).toBe(true);
    expect(changed.filter((at) => isNear(damaged.mask, at, REACH)).length / changed.length).toBeGreaterThan(0.5);
  });

  test.each(KINDS.map((defect, at) => [defect, at] as const))('%s is visible on every surface', (defect, at) => {
    // Kinds and surfaces are seven each: three rounds of all of both, in other pairs.
    for (const [index, shift] of [0, 2, 5].entries()) {
      const surface = SURFACES[(at + shift) % SURFACES.length]!;
      const { mask } = renderPart(textures, { seed: 2_000 + 10 * index + at, surface, defect });
      const pixels = mask.reduce((sum, value) => sum + value, 0);
      expect(pixels, surface).toBeGreaterThanOrEqual(30);
      expect(pixels, surface).toBeLessThan(PICTURE_SIZE ** 2 / 8);
    }
  });

  test('parts of a fixture lie alike, others do not', () => {
    const meanDifference = (fixture: number | null): number => {
      const [one, other] = [11, 12].map((seed) =>
        renderPart(textures, { seed, surface: 'brushed', defect: null, fixture }),
      ) as [PartPicture, PartPicture];
      return differences(one, other).reduce((sum, levels) => sum + levels, 0) / PICTURE_SIZE ** 2;
    };
    const fixed = meanDifference(7);
    expect(fixed).toBeGreaterThan(1);
    expect(fixed).toBeLessThan(meanDifference(null) / 3);
  });
});

describe('a set', () => {
  test('splits and seeds never share a picture', () => {
    const sets = SPLIT_NAMES.flatMap((split) =>
      [0, 1, 9_999].map((seed) => seedsOf({ split, seed, count: 100_000 })),
    ).sort((one, other) => one[0]! - other[0]!);
    for (const [at, seeds] of sets.entries()) {
      expect(seeds.every((seed, index) => seed === seeds[0]! + index)).toBe(true);
      expect(seeds[0]).toBeGreaterThan(sets[at - 1]?.at(-1) ?? -1);
    }
    // Seeds are taken as 32 bits.
    expect(sets.at(-1)!.at(-1)).toBeLessThan(2 ** 32);
  });

  test('kinds take turns, and good parts come by their share', () => {
    const defects = Array.from({ length: 100 }, (_, index) =>
      defectTurns({ kinds: ['dent', 'crack'], goodShare: 0.3 })(index),
    );
    expect(defects.filter((defect) => defect === null)).toHaveLength(30);
    expect(defects.filter((defect) => defect === 'dent')).toHaveLength(35);
    expect(defects.filter((defect) => defect !== null).slice(0, 4)).toEqual(['dent', 'crack', 'dent', 'crack']);
    expect([0, 1, 2].map(defectTurns({ goodShare: 1, kinds: [] }))).toEqual([null, null, null]);
  });

  test.each([
    ['test', 'ground_truth'],
    ['demo', 'demo_ground_truth'],
  ] as const)('%s lies in folders with its masks in %s, and is listed', async (split, masks) => {
    const count = await writeDataset(folder, { split, count: 5, kinds: ['stain', 'chip'], goodShare: 0.4 });
    expect(count).toBe(5);
    const list = JSON.parse(await readFile(join(folder, `${split}.json`), 'utf8')) as {
      split: string;
      pictures: { file: string; seed: number; defect: Defect | null; surface: string; text: string }[];
    };
    expect(list.split).toBe(split);
    const files = (await readdir(join(folder, split), { recursive: true })).filter((name) => name.endsWith('.png'));
    expect(files.map((name) => `${split}/${name}`).sort()).toEqual(list.pictures.map(({ file }) => file).sort());
    expect(list.pictures.map(({ defect }) => defect)).toEqual(
      [...Array(5).keys()].map(defectTurns({ kinds: ['stain', 'chip'], goodShare: 0.4 })),
    );
    expect(list.pictures.filter(({ text }) => /^[A-Z]{2}\d{4}$/.test(text))).toHaveLength(5);

    for (const { file, seed, defect, surface } of list.pictures) {
      const part = renderPart(textures, { seed, defect, surface: surface as (typeof SURFACES)[number] });
      const pixels = await new Transformer(await readFile(join(folder, file))).rawPixels();
      expect(Buffer.compare(pixels, part.image.data), file).toBe(0);
      if (defect === null) continue;
      const name = file.split('/').at(-1)!.replace('.png', '_mask.png');
      const mask = await new Transformer(await readFile(join(folder, masks, defect, name))).rawPixels();
      expect(
        Buffer.compare(
          mask,
          part.mask.map((value) => 255 * value),
        ),
        name,
      ).toBe(0);
    }
  });

  test.each([
    [{ count: 0 }, 'count must be a whole number from 1 to 100000, got 0'],
    [{ count: 2.5 }, 'got 2.5'],
    [{ count: 200_000 }, 'got 200000'],
    [{ count: 1, seed: -1 }, 'seed must be a whole number from 0 to 9999, got -1'],
    [{ count: 1, seed: 10_000 }, 'got 10000'],
    [{ count: 1, goodShare: 1.5 }, 'must be from 0 to 1, got 1.5'],
    [{ count: 1, goodShare: Number.NaN }, 'got NaN'],
    [{ count: 1, kinds: [] }, 'need at least one kind'],
    [{ count: 1, split: 'other' as 'test' }, "split must be one of train, test, calibration, demo, got 'other'"],
  ])('refuses %j before it writes', async (options, message) => {
    const target = join(folder, 'refused');
    await expect(writeDataset(target, { split: 'test', ...options })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message) as string,
    });
    await expect(readdir(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
