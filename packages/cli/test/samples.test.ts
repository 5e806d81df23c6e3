import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PLAIN_PICTURES } from '@kerf/edge-runtime';
import { type ErrorCode, float32Tensor, KerfError, type TensorSpec, typedView } from '@kerf/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeNpy } from '../src/npy.ts';
import { encodePng } from '../src/picture.ts';
import { checkTensorSamples } from '../src/samples/check-tensors.ts';
import { chooseSamples, halves, requireSamples, thirds } from '../src/samples/choose-samples.ts';
import { findSamples } from '../src/samples/find-samples.ts';
import { parseLabelFile } from '../src/samples/label-file.ts';
import { loadSample, loadSamples } from '../src/samples/load-sample.ts';
import type { SampleSet } from '../src/samples/sample-set.ts';

const IMAGE: TensorSpec = { name: 'image', dtype: 'float32', shape: ['N', 3, 4, 6] };
const PICTURES = PLAIN_PICTURES;
const OPTIONS = { specs: [IMAGE], pictures: PICTURES };
const FIND = { inputNames: ['image'] };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-samples-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}

/** A picture of one grey; a mask when its right half is to be white. */
function picture(width: number, height: number, grey: number, isMask = false): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 3).fill(grey);
  if (isMask) for (let at = 0; at < data.length; at++) data[at] = Math.floor(at / 3) % width >= width / 2 ? 255 : 0;
  return encodePng({ width, height, data });
}

async function defectFolders(split: string, masks: string): Promise<void> {
  for (const name of ['0001', '0003']) await put(`${split}/good/${name}.png`, await picture(12, 8, 40));
  for (const kind of ['scratch', 'dent']) {
    await put(`${split}/${kind}/0002.png`, await picture(12, 8, 90));
    await put(`${masks}/${kind}/0002_mask.png`, await picture(12, 8, 0, true));
  }
}

async function fails(work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(KerfError.is(error) && error.code, String(error)).toBe(code);
  expect((error as KerfError).message).toMatch(message);
}

const ids = (set: SampleSet): string[] => set.entries.map(({ id }) => id).sort();

describe('folders of samples', () => {
  test.each([
    ['test', 'ground_truth'],
    ['calibration', 'calibration_ground_truth'],
  ])('split %s of an inspection set, masks in %s', async (split, masks) => {
    await defectFolders(split, masks);
    for (const path of [folder, join(folder, split)]) {
      const set = await findSamples(path, FIND);
      expect(set).toMatchObject({ kind: 'defect', hasMasks: true });
      expect(ids(set)).toEqual(['dent/0002.png', 'good/0001.png', 'good/0003.png', 'scratch/0002.png']);
    }
    const set = await findSamples(folder, FIND);
    const loaded = [];
    for await (const sample of loadSamples(set, OPTIONS)) loaded.push(sample);
    const dent = loaded.find(({ id }) => id.startsWith('dent'));
    const good = loaded.find(({ id }) => id.startsWith('good'));
    expect(dent?.label).toMatchObject({ kind: 'defect', defect: 'dent', mask: { width: 12, height: 8 } });
    expect(good?.label).toMatchObject({ kind: 'defect', defect: null, mask: { width: 12, height: 8 } });
    const count = (label: unknown): number =>
      (label as { mask: { pixels: Uint8Array } }).mask.pixels.reduce((sum, one) => sum + one, 0);
    expect([count(dent?.label), count(good?.label)]).toEqual([48, 0]);
    expect(dent?.inputs.get('image')?.shape).toEqual([1, 3, 4, 6]);
    expect(typedView(dent?.inputs.get('image') as never)[0]).toBeCloseTo(90 / 255, 6);
  });

  test('a mask is padded as its picture is', async () => {
    await defectFolders('test', 'ground_truth');
    const set = await findSamples(folder, FIND);
    const square: TensorSpec = { name: 'image', dtype: 'float32', shape: [1, 1, 6, 6] };
    const padded = { specs: [square], pictures: { ...PLAIN_PICTURES, fit: 'pad' } as const };
    for await (const { label } of loadSamples(set, padded)) {
      if (label?.kind !== 'defect' || label.mask === null) throw new Error('no mask');
      const { width, height, pixels } = label.mask;
      expect([width, height]).toEqual([12, 12]);
      // The picture is 12 x 8: two lines of bars above and below, and its right half is the defect.
      const marked = [...pixels.keys()].filter((at) => pixels[at] === 1);
      const right = Array.from({ length: 8 }, (_, row) => [6, 7, 8, 9, 10, 11].map((x) => (row + 2) * 12 + x)).flat();
      expect(marked).toEqual(label.defect === null ? [] : right);
    }
  });

  test('without a folder of masks the parts are good or not', async () => {
    await defectFolders('line7', 'elsewhere');
    const set = await findSamples(join(folder, 'line7'), FIND);
    expect(set).toMatchObject({ kind: 'defect', hasMasks: false });
    const sample = await loadSample(set, set.entries[0] as never, OPTIONS);
    expect(sample.label).toMatchObject({ mask: null });
  });

  test('a missing, empty or unfitting mask is named', async () => {
    await defectFolders('test', 'ground_truth');
    await rm(join(folder, 'ground_truth/dent/0002_mask.png'));
    await fails(findSamples(folder, FIND), 'SAMPLES_UNUSABLE', /dent\/0002\.png' has no mask/);
    const load = async (): Promise<void> => {
      const set = await findSamples(folder, FIND);
      const dent = set.entries.find(({ group }) => group === 'dent');
      await loadSample(set, dent as never, OPTIONS);
    };
    await put('ground_truth/dent/0002_mask.png', await picture(12, 8, 0));
    await fails(load(), 'SAMPLES_UNUSABLE', /marks no pixel/);
    await put('ground_truth/dent/0002_mask.png', await picture(6, 8, 0, true));
    await fails(load(), 'SAMPLES_UNUSABLE', /6x8, the picture 12x8/);
  });

  test('of several splits without a test, one must be named', async () => {
    await defectFolders('train', 'train_ground_truth');
    await defectFolders('calibration', 'calibration_ground_truth');
    await fails(findSamples(folder, FIND), 'SAMPLES_UNUSABLE', /several splits \(calibration, train\)/);
  });

  test('classes count in the order of their names, of numbers, or of labels.txt', async () => {
    const grey = await picture(6, 4, 7);
    for (const name of ['boot', 'bag', 'coat']) await put(`named/${name}/a.png`, grey);
    for (const name of ['0', '2', '10']) await put(`numbered/${name}/a.png`, grey);
    const indices = async (name: string): Promise<unknown> => {
      const { entries } = await findSamples(join(folder, name), FIND);
      return Object.fromEntries(
        entries.map(({ group, label }) => [group, label?.kind === 'class' ? label.index : null]),
      );
    };
    expect(await indices('named')).toEqual({ bag: 0, boot: 1, coat: 2 });
    expect(await indices('numbered')).toEqual({ 0: 0, 2: 2, 10: 10 });
    await put('named/labels.txt', 'coat\nshoe\nbag\r\nboot\n');
    expect(await indices('named')).toEqual({ coat: 0, bag: 2, boot: 3 });
    await put('named/labels.txt', 'coat\nbag\n');
    await fails(
      findSamples(join(folder, 'named'), FIND),
      'SAMPLES_UNUSABLE',
      /folder 'boot' is no class of labels\.txt/,
    );
  });

  test('texts come from a list, and every line of it is checked', async () => {
    await put('a.png', await picture(6, 4, 7));
    await put('more/b.png', await picture(6, 4, 9));
    await put('labels.tsv', '\uFEFFa.png\tAB 12\r\nmore/b.png\t\r\n');
    const set = await findSamples(folder, FIND);
    expect(set.kind).toBe('text');
    expect(set.entries.map(({ label }) => label)).toEqual([
      { kind: 'text', text: 'AB 12' },
      { kind: 'text', text: '' },
    ]);
    await put('labels.tsv', 'a.png\tx\ngone.png\ty\n');
    await fails(findSamples(folder, FIND), 'SAMPLES_UNUSABLE', /'gone\.png', which is not there/);
    for (const [content, message] of [
      ['a.png\tx\nb.png', /line 2 has no tab/],
      ['a.png\tx\na.png\ty', /line 2 names 'a\.png' a second time/],
      ['../a.png\tx', /must name a file below the folder/],
      ['cat\ndog\ncat', /class 'cat' a second time/],
      ['\n \n', /it is empty/],
    ] as const) {
      expect(() => parseLabelFile('labels.tsv', content)).toThrow(message);
    }
  });

  test('plain files and folders of tensors are samples without labels', async () => {
    await put('b.png', await picture(6, 4, 7));
    await put('a.npy', encodeNpy(float32Tensor([1, 3, 4, 6], new Float32Array(72).fill(2))));
    await put('c/image.npy', encodeNpy(float32Tensor([1, 3, 4, 6], new Float32Array(72).fill(3))));
    await put('.hidden.png', 'x');
    await put('notes.md', 'x');
    const set = await findSamples(folder, FIND);
    expect(set.kind).toBe('none');
    expect(set.entries.map(({ id }) => id)).toEqual(['a.npy', 'b.png', 'c']);
    const last = await loadSample(set, set.entries[2] as never, OPTIONS);
    expect(typedView(last.inputs.get('image') as never)[0]).toBe(3);
  });

  test('--task leaves labels aside, or asks for them', async () => {
    await defectFolders('test', 'ground_truth');
    const plain = await findSamples(join(folder, 'test'), { ...FIND, task: 'none' });
    expect(plain).toMatchObject({ kind: 'none' });
    expect(plain.entries.every(({ label }) => label === null)).toBe(true);
    expect((await findSamples(join(folder, 'test'), { ...FIND, task: 'class' })).classNames).toEqual([
      'dent',
      'good',
      'scratch',
    ]);
    await put('flat/a.png', await picture(6, 4, 7));
    for (const [task, needs] of [
      ['class', /folder for each class/],
      ['defect', /folder 'good'/],
      ['text', /labels\.tsv/],
    ] as const) {
      await fails(findSamples(join(folder, 'flat'), { ...FIND, task }), 'SAMPLES_UNUSABLE', needs);
    }
  });

  test('what cannot be used is refused with the file', async () => {
    await fails(findSamples(join(folder, 'gone'), FIND), 'FILE_NOT_FOUND', /is not there/);
    await fails(findSamples(folder, FIND), 'SAMPLES_UNUSABLE', /no \.png/);
    await put('bad.png', 'no picture');
    await put('wide.npy', encodeNpy(float32Tensor([1, 3, 4, 7], new Float32Array(84))));
    const set = await findSamples(folder, FIND);
    await fails(loadSample(set, set.entries[0] as never, OPTIONS), 'SAMPLES_UNUSABLE', /bad\.png: .*decoded/);
    await fails(
      loadSample(set, set.entries[1] as never, OPTIONS),
      'SAMPLES_UNUSABLE',
      /wide\.npy: tensor 'image' must be float32\[N, 3, 4, 6\], got float32\[1, 3, 4, 7\]/,
    );
    const open = { specs: [{ ...IMAGE, shape: ['N', 3, 'H', 'W'] }], pictures: PICTURES };
    await put('ok/a.png', await picture(6, 4, 7));
    const one = await findSamples(join(folder, 'ok'), FIND);
    await fails(loadSample(one, one.entries[0] as never, open), 'INVALID_ARGUMENT', /give --size WxH/);
    await put('dent/a.png', await picture(6, 4, 7));
    await fails(findSamples(folder, FIND), 'SAMPLES_UNUSABLE', /keep one layout/);
  });
});

test('tensors that do not fit are counted before anything runs', async () => {
  const good = encodeNpy(float32Tensor([1, 3, 4, 6], new Float32Array(72)));
  const wide = encodeNpy(float32Tensor([1, 3, 4, 7], new Float32Array(84)));
  for (const [at, bytes] of [good, wide, good, wide, wide].entries()) await put(`${at}.npy`, bytes);
  await put('picture.png', await picture(6, 4, 7));
  const set = await findSamples(folder, FIND);
  await fails(
    checkTensorSamples(set, OPTIONS),
    'SAMPLES_UNUSABLE',
    /^3 of 6 samples do not fit the model: sample .*1\.npy: tensor 'image' must be .*, got float32\[1, 3, 4, 7\]$/,
  );
  await checkTensorSamples({ ...set, entries: set.entries.filter(({ id }) => !/[134]/.test(id)) }, OPTIONS);
});

describe('choosing samples', () => {
  const many: SampleSet = {
    folder: 'parts',
    kind: 'class',
    hasMasks: false,
    classNames: ['a', 'b', 'c'],
    entries: Array.from({ length: 100 }, (_, at) => {
      const group = at < 80 ? 'a' : at < 97 ? 'b' : 'c';
      return { id: String(at), path: String(at), group, label: { kind: 'class', index: 0 } };
    }),
  };
  const shares = ({ entries }: SampleSet): Record<string, number> => {
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const { group } of entries) counts[group] = (counts[group] ?? 0) + 1;
    return counts;
  };

  test('keeps the shares, the same ones for a seed and others for another', () => {
    const chosen = chooseSamples(many, 20);
    expect(shares(chosen)['a']).toBeGreaterThanOrEqual(14);
    expect(shares(chosen)['b']).toBeGreaterThanOrEqual(3);
    expect(shares(chosen)['c']).toBe(1);
    expect(ids(chooseSamples(many, 20))).toEqual(ids(chosen));
    expect(ids(chooseSamples(many, 20, 2))).not.toEqual(ids(chosen));
    expect(ids(chooseSamples(many, 3)).length).toBe(3);
    expect(shares(chooseSamples(many, 3))).toEqual({ a: 1, b: 1, c: 1 });
    expect(chooseSamples(many, 1000).entries.length).toBe(100);
  });

  test('halves share no sample and have the shares', () => {
    const [first, second] = halves(many);
    expect(first.entries.length + second.entries.length).toBe(100);
    expect(Math.abs(first.entries.length - second.entries.length)).toBeLessThanOrEqual(2);
    expect(ids(first).filter((id) => ids(second).includes(id))).toEqual([]);
    expect(shares(first)).toMatchObject({ a: 40 });
    expect(Math.min(shares(first)['c'] as number, shares(second)['c'] as number)).toBe(1);
  });

  test('a third chooses and two judge, of few samples half and half, with the shares', () => {
    const [choosing, judging] = thirds(many);
    expect([choosing.entries.length, judging.entries.length]).toEqual([34, 66]);
    expect(ids(choosing).filter((id) => ids(judging).includes(id))).toEqual([]);
    expect(shares(choosing)['a']).toBeGreaterThanOrEqual(25);
    expect(Math.min(shares(choosing)['c'] as number, shares(judging)['c'] as number)).toBe(1);
    const few = thirds(chooseSamples(many, 20));
    expect(few.map(({ entries }) => entries.length)).toEqual([10, 10]);
  });

  test('says how many are missing', () => {
    expect(() => requireSamples(chooseSamples(many, 1), 16, 'a calibration')).toThrow(
      /1 is there, a calibration needs at least 16/,
    );
  });
});
