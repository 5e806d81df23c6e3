// `kerf evaluate` on models and pictures whose right answers are known, on the real runtime.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvaluationReport } from '../src/evaluate/report.ts';
import { encodeNpy } from '../src/npy.ts';
import { brightnessModel, inspectionModel, kerf, put, SIDE, writeParts } from './support/inspection.ts';

let folder = '';
let model = '';
let parts = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-evaluate-'));
  model = await put(folder, 'inspect.onnx', inspectionModel());
  parts = join(folder, 'parts');
  await writeParts(parts, 10, 6);
  await kerf('split', model, '--at', 'features', '--out', join(folder, 'split'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function report(...argv: readonly string[]): Promise<EvaluationReport> {
  return JSON.parse(await kerf('evaluate', ...argv, '--json')) as EvaluationReport;
}

describe('inspection', () => {
  test('a model that is always right has every figure at its best, with intervals', async () => {
    const { task, traffic, against, placement } = await report(model, '--samples', parts);
    expect(placement).toBe('edge');
    expect(task).toMatchObject({ kind: 'defect', samples: 16 });
    expect(task.metric).toMatchObject({ name: 'pixel IoU', points: 100 });
    expect(task.pixelAuroc?.value).toBe(1);
    expect(task.imageAuroc?.value).toBe(1);
    expect(task.verdicts).toMatchObject({ passBelow: 0.3, ngAbove: 0.7 });
    expect(task.verdicts?.escape).toMatchObject({ count: 0, of: 6, share: 0 });
    expect(task.verdicts?.escape.interval.high).toBeCloseTo(0.39, 2);
    expect(task.verdicts?.overkill).toMatchObject({ count: 0, of: 10 });
    expect(task.groups.map(({ name, samples }) => [name, samples])).toEqual([
      ['good', 10],
      ['dent', 3],
      ['stain', 3],
    ]);
    expect(task.groups[1]).toMatchObject({ points: 100, imageAuroc: 1, verdicts: { pass: 0, review: 0, ng: 3 } });
    expect([traffic, against]).toEqual([null, null]);
  });

  test('thresholds of the command line count before those of the model', async () => {
    const { task } = await report(model, '--samples', parts, '--pass-below', '0.99', '--ng-above', '0.995');
    expect(task.verdicts?.escape).toMatchObject({ count: 6, of: 6 });
    const strict = await report(model, '--samples', parts, '--pass-below', '0', '--ng-above', '0.05');
    expect(strict.task.verdicts?.overkill).toMatchObject({ count: 10, of: 10 });
    const between = await report(model, '--samples', parts, '--pass-below', '0.01', '--ng-above', '2');
    expect(between.task.verdicts?.review).toMatchObject({ count: 16, of: 16 });
  });

  test('a cascade says what goes on to the model, and what it costs in escapes', async () => {
    const one = { count: 0, of: 6, share: 0 };
    const same = await report(model, '--samples', parts, '--cascade', model);
    expect(same.cascade).toMatchObject({
      sureBelow: 0.3,
      sureAbove: 0.7,
      escalated: { count: 0, of: 16 },
      escapesAdded: one,
      escapesAvoided: one,
      rates: { escape: one },
      alone: { escape: one },
    });
    const all = await report(model, '--samples', parts, '--cascade', model, '--sure-below', '0', '--sure-above', '2');
    expect(all.cascade?.escalated).toMatchObject({ count: 16, share: 1 });
    const blind = await put(folder, 'blind.onnx', inspectionModel({ 'kerf.pass_below': '5', 'kerf.ng_above': '6' }));
    const { cascade } = await report(model, '--samples', parts, '--cascade', blind);
    expect(cascade).toMatchObject({
      escalated: { count: 0 },
      rates: { escape: { count: 6 } },
      escapesAdded: { count: 6, of: 6 },
    });
    expect(cascade?.escapesAdded.interval.low).toBeGreaterThan(0.6);
    expect(await kerf('evaluate', model, '--samples', parts, '--cascade', blind)).toMatch(
      /escapes added +100.0 % +6 of 6/,
    );
  });

  test('a mask threshold that no pixel reaches leaves no IoU', async () => {
    const { task } = await report(model, '--samples', parts, '--mask-threshold', '0.999');
    expect(task.metric?.points).toBe(0);
  });

  test('a split is run through its codec, and its loss is paired', async () => {
    const split = ['--split', join(folder, 'split')];
    const raw = await report(model, '--samples', parts, ...split);
    expect(raw.placement).toBe('split at features, raw');
    expect(raw.traffic).toEqual({ bytesPerFrame: 3 * SIDE * SIDE * 4, bitsPerValue: 32, nonFinite: 0 });
    expect(raw.against).toMatchObject({ lossPoints: 0, lossInterval: { low: 0, high: 0 }, metric: 'pixel IoU' });
    for (const codec of ['lossless', 'float16', 'uint8', 'uint8-channel']) {
      const coded = await report(model, '--samples', parts, ...split, '--codec', codec);
      expect(coded.placement).toBe(`split at features, ${codec}`);
      expect(coded.traffic?.bitsPerValue).toBeLessThan(20);
      expect(coded.against?.lossPoints).toBe(0);
    }
  });

  test('the picture can cross in an image format', async () => {
    const png = await report(model, '--samples', parts, '--input-format', 'png');
    const jpeg = await report(model, '--samples', parts, '--input-format', 'jpeg:5');
    expect(png.placement).toBe('cloud, PNG');
    expect(png.against?.lossPoints).toBe(0);
    expect(jpeg.placement).toBe('cloud, JPEG 5');
    expect(jpeg.traffic?.bytesPerFrame).toBeGreaterThan(100);
    expect(jpeg.task.metric?.points).toBeLessThan(100);
    expect(jpeg.against?.lossPoints).toBeCloseTo(100 - (jpeg.task.metric?.points ?? 0), 9);
  });

  test('without masks, verdicts and image AUROC are left', async () => {
    await writeParts(join(folder, 'bare'), 4, 3);
    await rm(join(folder, 'bare/ground_truth'), { recursive: true });
    const { task, against } = await report(model, '--samples', join(folder, 'bare'), '--against', model);
    expect(task).toMatchObject({ metric: null, pixelAuroc: null, imageAuroc: { value: 1 } });
    expect(against).toMatchObject({ metric: 'closeness of outputs', lossPoints: 0 });
  });

  test('people get lines, with every figure', async () => {
    const text = await kerf(
      'evaluate',
      model,
      '--samples',
      parts,
      '--split',
      join(folder, 'split'),
      '--codec',
      'uint8',
    );
    for (const part of [/pixel IoU +100\.00 %/, /escape +0\.0 % +0 of 6/, /review load/, /^dent +3/m, /loss +0\.00/]) {
      expect(text).toMatch(part);
    }
  });
});

test('classes: accuracy, in all and by class', async () => {
  const classes = join(folder, 'classes');
  const bright = await put(folder, 'bright.onnx', brightnessModel());
  const value = (level: number): Uint8Array =>
    encodeNpy(float32Tensor([1, 3, SIDE, SIDE], new Float32Array(3 * SIDE * SIDE).fill(level)));
  for (const [name, level] of [
    ['0/a.npy', 0.1],
    ['0/b.npy', 0.2],
    ['1/a.npy', 0.9],
    ['1/b.npy', 0.4],
  ] as const) {
    await put(classes, name, value(level));
  }
  const { task } = await report(bright, '--samples', classes);
  expect(task.metric).toMatchObject({ name: 'accuracy', points: 75 });
  expect(task.metric?.interval.low).toBeCloseTo(30.06, 1);
  expect(task.groups).toMatchObject([
    { name: '0', samples: 2, points: 100 },
    { name: '1', samples: 2, points: 50 },
  ]);
  expect(task.verdicts).toBeNull();
});

describe('what cannot be evaluated is refused', () => {
  test.each([
    [[], /--samples is needed/],
    [['--codec', 'uint8'], /--codec is for --split/],
    [['--split', 'x', '--input-format', 'png'], /choose one/],
    [['--input-format', 'gif'], /must be png, jpeg/],
    [['--input-format', 'jpeg:0'], /must be png, jpeg/],
    [['--pass-below', '0.9'], /must not be above --ng-above/],
    [['--task', 'colour'], /--task must be one of/],
    [['--limit', '0'], /--limit must be/],
    [['--task', 'none'], /--against MODEL says/],
    [['--output', 'nothing'], /there is no output 'nothing'/],
    [['--size', '8x8'], /--size does not fit/],
    [['--sure-below', '0.1'], /--sure-below is for --cascade/],
  ])('%j', async (argv, message) => {
    const samples = argv.length === 0 ? [] : ['--samples', parts];
    await expect(kerf('evaluate', model, ...samples, ...argv)).rejects.toThrow(message);
  });

  test('a split of another model', async () => {
    const other = await put(folder, 'other.onnx', inspectionModel({ note: 'another' }));
    await expect(kerf('evaluate', other, '--samples', parts, '--split', join(folder, 'split'))).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
    });
  });

  test('texts without an alphabet, or with one that does not fit', async () => {
    const lines = join(folder, 'lines');
    await put(lines, 'a.npy', encodeNpy(float32Tensor([1, 3, SIDE, SIDE], new Float32Array(3 * SIDE * SIDE))));
    await put(lines, 'labels.tsv', 'a.npy\tAB\n');
    const alphabet = await put(folder, 'alphabet.txt', 'A\nB\nC\n');
    await expect(kerf('evaluate', model, '--samples', lines)).rejects.toThrow(/--alphabet FILE/);
    await expect(
      kerf('evaluate', model, '--samples', lines, '--output', 'mask', '--alphabet', alphabet),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
