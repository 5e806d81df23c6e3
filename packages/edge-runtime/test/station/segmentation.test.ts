// A class for each pixel, in every form that models give it -> the score, the mask and the share of each class.
import { float16Bits, float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { makeJudge, type Task } from '../../src/station/judge/judge.ts';
import type { Judgement, PictureGeometry } from '../../src/station/judge/judgement.ts';
import { SEGMENTATION_TASK } from '../../src/station/judge/segmentation.ts';

const GEOMETRY: PictureGeometry = {
  taken: { width: 40, height: 20 },
  shown: { x: 0, y: 0, width: 40, height: 20 },
  input: { width: 4, height: 2 },
  area: { x: 0, y: 0, width: 4, height: 2 },
};
const CLASSES = ['sound', 'scratch', 'dent', 'ink'];

function taskOf(keys: Readonly<Record<string, unknown>> = {}): Task {
  const given = { classes: CLASSES, reject: ['scratch', 'dent'], ...keys };
  return { kind: 'segmentation', ...SEGMENTATION_TASK.read(given, 'task') };
}

async function judged(
  task: Task,
  outputs: Readonly<Record<string, Tensor>>,
  geometry: PictureGeometry = GEOMETRY,
): Promise<Judgement> {
  const judge = await makeJudge(task, { passBelow: 0.3, ngAbove: 0.7 });
  return judge.judge(new Map(Object.entries(outputs)), geometry);
}

/** Of 4 x 2 pixels: a scratch of two, a dent of one, ink on one; else sound. Probabilities of each pixel's classes. */
const PIXELS: readonly (readonly number[])[] = [
  [0.88, 0.06, 0.06, 0],
  [0.1, 0.5, 0.3, 0.1],
  [0.08, 0.87, 0.05, 0],
  [1, 0, 0, 0],
  [1, 0, 0, 0],
  [0.2, 0.1, 0.1, 0.6],
  [1, 0, 0, 0],
  [0.28, 0.12, 0.6, 0],
];
const nhwc = (of: (value: number) => number = (value) => value): Tensor =>
  float32Tensor([1, 2, 4, 4], Float32Array.from(PIXELS.flat(), of));
const nchw = (of: (value: number) => number = (value) => value): Tensor =>
  float32Tensor(
    [1, 4, 2, 4],
    Float32Array.from([0, 1, 2, 3].flatMap((at) => PIXELS.map((pixel) => of(pixel[at] ?? 0)))),
  );
// Softmax does not mind a number that is added to all.
const logit = (value: number): number => Math.log(value + 1e-9) + 5;
const indices = PIXELS.map((pixel) => pixel.indexOf(Math.max(...pixel)));
const halves = ({ shape, data }: Tensor): Tensor =>
  makeTensor('float16', shape, new Uint8Array(Uint16Array.from(new Float32Array(data.buffer), float16Bits).buffer));

describe('a segmentation', () => {
  it.each<[string, Readonly<Record<string, unknown>>, Tensor]>([
    ['logits, classes first', {}, nchw(logit)],
    ['logits, classes last', {}, nhwc(logit)],
    ['logits in float16', {}, halves(nchw(logit))],
    ['probabilities', { values: 'probabilities' }, nchw()],
  ])('is read from %s', async (_, keys, output) => {
    const found = await judged(taskOf(keys), { output });
    expect(found).toMatchObject({ verdict: 'NG', reason: null });
    expect(found.score).toBeCloseTo(0.92, 2);
    // Of 15: 0.12, 0.8, 0.92 and 0; 0, 0.2, 0 and 0.72.
    expect(found.mask).toEqual({ width: 4, height: 2, runs: [2, 1, 12, 1, 14, 1, 0, 2, 3, 1, 0, 1, 11, 1] });
    expect(found.scores).toEqual({ sound: 0.5, scratch: 0.25, dent: 0.125, ink: 0.125 });
  });

  it.each([
    ['int64', [1, 2, 4], new Uint8Array(BigInt64Array.from(indices, BigInt).buffer)],
    ['uint8', [1, 1, 2, 4], Uint8Array.from(indices)],
    ['float32', [2, 4], new Uint8Array(Float32Array.from(indices).buffer)],
  ] as const)('is read from indices of %s', async (dtype, shape, data) => {
    const found = await judged(taskOf({ values: 'indices' }), { classes: makeTensor(dtype, shape, data) });
    expect(found).toMatchObject({ verdict: 'NG', score: 1, scores: { sound: 0.5, scratch: 0.25 } });
    expect(found.mask?.runs).toEqual([0, 1, 15, 2, 0, 4, 15, 1]);
  });

  it('asks for as many pixels as minArea says', async () => {
    const scores = [0, 0.125, 0.25, 0.375, 1].map(
      async (minArea) => (await judged(taskOf({ minArea }), { o: nchw(logit) })).score,
    );
    const [one, same, two, three, all] = await Promise.all(scores);
    expect(same).toBe(one);
    expect([one, two, three, all].map((score) => Number(score?.toFixed(1)))).toEqual([0.9, 0.8, 0.7, 0]);
  });

  it('sees nothing in bars, and says of which part of the picture the mask is', async () => {
    const padded = {
      ...GEOMETRY,
      shown: { x: 10, y: 0, width: 20, height: 20 },
      area: { x: 0, y: 0, width: 2, height: 2 },
    };
    const found = await judged(taskOf(), { o: nchw(logit) }, padded);
    expect(found.score).toBeCloseTo(0.8, 2);
    expect(found.mask).toEqual({ width: 2, height: 2, runs: [2, 1, 12, 1, 0, 1, 3, 1], area: padded.shown });
    expect(found.scores).toEqual({ sound: 0.5, scratch: 0.25, ink: 0.25, dent: 0 });
  });

  it.each<[string, Readonly<Record<string, unknown>>, Tensor, RegExp]>([
    [
      'another number of classes',
      { classes: ['sound', 'scratch', 'dent'] },
      nchw(),
      /3 classes are \[1, 3, H, W\] or \[1, H, W, 3\]/,
    ],
    ['logits that are said to be probabilities', { values: 'probabilities' }, nchw(logit), /say values: logits/],
    [
      'an index that is no class',
      { values: 'indices', classes: ['sound', 'scratch', 'dent'] },
      makeTensor('uint8', [2, 4], Uint8Array.from(indices)),
      /says class 3, and the station file names 3/,
    ],
    ['scores that are said to be indices', { values: 'indices' }, nchw(), /indices are \[1, H, W\]/],
  ])('is ERROR, with what to do, for %s', async (_, keys, output, words) => {
    const { verdict, reason } = await judged(taskOf(keys), { output });
    expect(verdict).toBe('ERROR');
    expect(reason).toMatchObject({ code: 'TENSOR_MISMATCH', message: expect.stringMatching(words) as string });
  });

  it('is REVIEW for NaN, and PASS where all is sound', async () => {
    expect(await judged(taskOf(), { o: nchw((value) => (value === 0.87 ? Number.NaN : value)) })).toMatchObject({
      verdict: 'REVIEW',
      score: null,
    });
    const sound = float32Tensor([1, 4, 2, 4], new Float32Array(32).fill(-30).fill(30, 0, 8));
    expect(await judged(taskOf(), { o: sound })).toMatchObject({
      verdict: 'PASS',
      score: 0,
      mask: null,
      scores: { sound: 1 },
    });
  });
});
