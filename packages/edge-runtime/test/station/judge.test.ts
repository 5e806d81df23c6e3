// Outputs of a model -> findings and verdicts: masks, scores, classes, boxes, and what is none of them.
import { float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { makeJudge, type Task } from '../../src/station/judge/judge.ts';
import type { Judgement, PictureGeometry } from '../../src/station/judge/judgement.ts';
import { maskRuns } from '../../src/station/judge/mask-runs.ts';
import { brightnessOf, pictureFault, READABLE } from '../../src/station/picture-check.ts';

const GEOMETRY: PictureGeometry = {
  taken: { width: 64, height: 64 },
  shown: { x: 0, y: 0, width: 64, height: 64 },
  input: { width: 64, height: 64 },
  area: { x: 0, y: 0, width: 64, height: 64 },
};
const anomaly: Task = { kind: 'anomaly', score: null, mask: null };
const classifier: Task = {
  kind: 'classifier',
  classes: ['good', 'scratch', 'dent'],
  reject: ['scratch', 'dent'],
  output: null,
  values: 'logits',
  sureFrom: 0.5,
};
const half = { passBelow: 0.4, ngAbove: 0.6 };

async function judged(task: Task, outputs: Record<string, Tensor>): Promise<Judgement> {
  return (await makeJudge(task, half)).judge(new Map(Object.entries(outputs)), GEOMETRY);
}

const floats = (...values: number[]): Tensor => float32Tensor([1, values.length], Float32Array.from(values));

describe('an anomaly', () => {
  it('takes the score where there is one, else the largest of the mask', async () => {
    const mask = makeTensor('uint8', [1, 1, 2, 2], Uint8Array.of(0, 255, 0, 0));
    expect(await judged(anomaly, { mask, score: floats(0.1) })).toMatchObject({ verdict: 'PASS' });
    expect(await judged(anomaly, { mask })).toMatchObject({
      verdict: 'NG',
      score: 1,
      mask: { runs: [0, 1, 15, 1, 0, 2] },
    });
  });

  it.each([
    ['no output that is known', { y: floats(0.1), z: floats(0.1) }, 'INVALID_ARGUMENT'],
    ['a score of two numbers', { score: floats(0.1, 0.2) }, 'TENSOR_MISMATCH'],
    [
      'a mask that holds no probabilities',
      { mask: float32Tensor([1, 1, 1, 2], Float32Array.of(-3, 9)) },
      'INVALID_ARGUMENT',
    ],
    ['a mask that is NaN', { mask: float32Tensor([1, 1, 1, 1], Float32Array.of(Number.NaN)) }, 'INVALID_ARGUMENT'],
  ])('is ERROR with %s', async (_, outputs, code) => {
    expect(await judged(anomaly, outputs as unknown as Record<string, Tensor>)).toMatchObject({
      verdict: 'ERROR',
      score: null,
      reason: { code },
    });
  });
});

describe('an anomaly in a picture with bars beside it', () => {
  // 64 x 32 of a 64 x 64 input, with bars of 16 above and below.
  const padded = { ...GEOMETRY, area: { x: 0, y: 16, width: 64, height: 32 } };

  it.each([
    ['NCHW', [1, 1, 8, 8]],
    ['NHWC', [1, 8, 8, 1]],
    ['rows', [8, 8]],
  ])('sees nothing in the bars (%s), and the mask is that of the picture', async (_, shape) => {
    const judge = await makeJudge(anomaly, half);
    const cells = new Uint8Array(64);
    cells[0] = 255;
    cells[63] = 255;
    expect(judge.judge(new Map([['mask', makeTensor('uint8', shape, cells)]]), padded)).toMatchObject({
      verdict: 'PASS',
      mask: null,
    });
    cells[2 * 8 + 3] = 255;
    expect(judge.judge(new Map([['mask', makeTensor('uint8', shape, cells)]]), padded)).toMatchObject({
      verdict: 'NG',
      mask: { width: 8, height: 4, runs: [0, 3, 15, 1, 0, 28] },
    });
  });
});

it('a mask of a part of the picture says of which', async () => {
  const shown = { x: 20, y: 10, width: 32, height: 32 };
  const judge = await makeJudge(anomaly, half);
  const outputs = new Map([['mask', makeTensor('uint8', [1, 1, 1, 1], Uint8Array.of(255))]]);
  expect(judge.judge(outputs, { ...GEOMETRY, shown }).mask).toEqual({
    width: 1,
    height: 1,
    runs: [15, 1],
    area: shown,
  });
  expect(judge.judge(outputs, GEOMETRY).mask).toEqual({ width: 1, height: 1, runs: [15, 1] });
});

describe('a classifier', () => {
  it('adds up what is to be rejected', async () => {
    expect(await judged(classifier, { logits: floats(5, 0, 0) })).toMatchObject({ verdict: 'PASS', reason: null });
    const two = await judged(classifier, { logits: floats(0, 1, 1) });
    expect(two).toMatchObject({ verdict: 'NG' });
    expect(two.score).toBeCloseTo(0.845, 2);
    expect(Object.keys(two.scores).sort()).toEqual(['dent', 'good', 'scratch']);
  });

  it('never passes a part of which it is not sure', async () => {
    const unsure = { ...classifier, sureFrom: 0.9 } as const;
    expect(await judged(unsure, { logits: floats(1, 0, -1) })).toMatchObject({
      verdict: 'REVIEW',
      score: expect.any(Number),
    });
  });

  it('is REVIEW for NaN, and ERROR for another number of classes', async () => {
    expect(await judged(classifier, { logits: floats(Number.NaN, 0, 0) })).toMatchObject({
      verdict: 'REVIEW',
      score: null,
    });
    expect(await judged(classifier, { logits: floats(1, 2) })).toMatchObject({ verdict: 'ERROR' });
  });

  it('takes probabilities as they are', async () => {
    const given = await judged({ ...classifier, values: 'probabilities' }, { probabilities: floats(0.7, 0.2, 0.1) });
    expect(given.score).toBeCloseTo(0.3, 6);
    expect(given.verdict).toBe('PASS');
  });
});

describe('a mask in a record', () => {
  it('is small whatever the model draws, and keeps the largest of each cell', () => {
    const pixels = new Uint8Array(500 * 300);
    pixels[123 * 500 + 77] = 255;
    const runs = maskRuns(makeTensor('uint8', [1, 1, 300, 500], pixels));
    expect(runs).toMatchObject({ width: 46, height: 28 });
    const cells = (runs?.runs ?? []).flatMap((value, at, all) =>
      at % 2 === 0 ? Array<number>(all[at + 1] ?? 0).fill(value) : [],
    );
    expect(cells).toHaveLength(46 * 28);
    expect(cells.indexOf(15)).toBe(Math.floor(123 / 11) * 46 + Math.floor(77 / 11));
  });

  it('is null where there is nothing to see', () => {
    expect(maskRuns(makeTensor('uint8', [4, 4], new Uint8Array(16)))).toBeNull();
  });
});

describe('a picture', () => {
  const limits = READABLE.read({ minWidth: 10, maxHeight: 100 }, '');
  const noise = (width: number, height: number, low: number, high: number) => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, at) => low + ((at * 7919) % (high - low + 1))),
  });

  it('can be judged within the limits', () => {
    expect(pictureFault(noise(40, 40, 0, 255), limits)).toBeNull();
  });

  it.each([
    ['too small', noise(9, 40, 0, 255), { kind: 'picture-size', width: 9, height: 40 }],
    ['too high', noise(40, 101, 0, 255), { kind: 'picture-size', width: 40, height: 101 }],
    ['dark', noise(40, 40, 0, 2), { kind: 'too-dark', brightness: expect.closeTo(1, 0) }],
    ['bright', noise(40, 40, 253, 255), { kind: 'too-bright', brightness: expect.closeTo(254, 0) }],
    ['flat', noise(40, 40, 100, 101), { kind: 'flat', contrast: expect.closeTo(0.087, 3) }],
  ])('is refused: %s', (_, image, said) => {
    expect(pictureFault(image, limits)).toEqual(said);
  });

  it('is looked at in all its parts, however large', () => {
    const wide = noise(3000, 600, 10, 20);
    wide.data.fill(240, 0, 3000 * 300 * 3);
    const { mean, deviation } = brightnessOf(wide);
    expect(mean).toBeCloseTo((240 + 15) / 2, 0);
    expect(deviation).toBeGreaterThan(100);
  });
});
