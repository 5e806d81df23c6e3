// The outputs of detectors, in every layout that is read -> boxes in the picture, and the score of the part.
import { float16Bits, float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { DETECTOR_TASK, type DetectorTask } from '../../src/station/judge/detector-task.ts';
import { makeJudge, type Task } from '../../src/station/judge/judge.ts';
import type { Judgement, PictureGeometry } from '../../src/station/judge/judgement.ts';

const GEOMETRY: PictureGeometry = {
  taken: { width: 64, height: 64 },
  shown: { x: 0, y: 0, width: 64, height: 64 },
  input: { width: 64, height: 64 },
  area: { x: 0, y: 0, width: 64, height: 64 },
};
const half = { passBelow: 0.4, ngAbove: 0.6 };

function detectorOf(keys: Readonly<Record<string, unknown>> = {}): Task {
  return {
    kind: 'detector',
    ...DETECTOR_TASK.read({ classes: ['screw', 'crack'], reject: ['crack'], ...keys }, 'task'),
  };
}
const detector = detectorOf();

async function judged(
  task: Task,
  outputs: Readonly<Record<string, Tensor>>,
  geometry: PictureGeometry = GEOMETRY,
): Promise<Judgement> {
  return (await makeJudge(task, half)).judge(new Map(Object.entries(outputs)), geometry);
}

const floats = (...values: number[]): Tensor => float32Tensor([1, values.length], Float32Array.from(values));

describe('boxes of a YOLOX-like model', () => {
  /** Of a 64 x 64 input: 64 cells of 8 pixels, 16 of 16, 4 of 32. */
  const CELLS = 84;
  interface Cell {
    readonly cell: number;
    readonly centre?: readonly [number, number];
    readonly size?: readonly [number, number];
    readonly sure: number;
    readonly screw?: number;
    readonly crack?: number;
  }
  const boxes = (...cells: readonly Cell[]): Tensor => {
    const values = new Float32Array(CELLS * 7);
    for (const { cell, centre = [0.5, 0.5], size = [0, 0], sure, screw = 0, crack = 0 } of cells) {
      values.set([...centre, ...size, sure, screw, crack], cell * 7);
    }
    return float32Tensor([1, CELLS, 7], values);
  };

  it('gives the score of the surest box to reject, and every box', async () => {
    // Cell 9 of the finest grid is column 1, row 1; cell 64 + 16 is the first of the coarsest.
    const found = await judged(detector, {
      out: boxes(
        { cell: 9, size: [Math.log(2), Math.log(1)], sure: 0.9, crack: 0.9 },
        { cell: 80, sure: 0.9, screw: 1 },
        { cell: 20, sure: 0.05, crack: 1 },
      ),
    });
    expect(found.verdict).toBe('NG');
    expect(found.score).toBeCloseTo(0.81, 6);
    expect(found.boxes.map(({ label }) => label)).toEqual(['screw', 'crack']);
    const [screw, crack] = found.boxes;
    expect(crack).toMatchObject({ x: expect.closeTo(4, 5), y: 8, width: expect.closeTo(16, 5), height: 8 });
    expect(screw).toMatchObject({ x: 0, y: 0, width: 32, height: 32 });
  });

  it('places boxes in the picture that was taken, and clips them', async () => {
    const judge = await makeJudge(detector, half);
    const geometry = {
      ...GEOMETRY,
      taken: { width: 400, height: 300 },
      shown: { x: 100, y: 50, width: 128, height: 64 },
    };
    const out = boxes({ cell: 0, size: [Math.log(4), Math.log(4)], sure: 1, crack: 0.5 });
    const { boxes: found } = judge.judge(new Map([['out', out]]), geometry);
    const size = { width: expect.closeTo(40, 5), height: expect.closeTo(20, 5) };
    expect(found).toEqual([{ x: 100, y: 50, ...size, label: 'crack', score: 0.5 }]);
  });

  it('takes one of boxes that overlap, and both where classes differ', async () => {
    const near = [
      { cell: 9, size: [1, 1], sure: 0.9, crack: 0.9 },
      { cell: 10, size: [1, 1], sure: 0.9, crack: 0.8, centre: [-0.4, 0.5] },
      { cell: 11, size: [1, 1], sure: 0.9, screw: 0.7, centre: [-1.5, 0.5] },
    ] as const;
    const found = await judged(detector, { out: boxes(...near) });
    expect(found.boxes.map(({ label, score }) => [label, Math.round(score * 100)])).toEqual([
      ['crack', 81],
      ['screw', 63],
    ]);
  });

  it('is read as before where a session of an earlier version says less of it', async () => {
    const { classes, reject } = { classes: ['screw', 'crack'], reject: ['crack'] };
    const recorded = {
      kind: 'detector',
      classes,
      reject,
      output: null,
      minScore: 0.1,
      overlap: 0.45,
    } as unknown as Task;
    const found = await judged(recorded, { out: boxes({ cell: 9, sure: 0.9, crack: 0.9 }) });
    expect(found).toMatchObject({ verdict: 'NG', reason: null });
  });

  it('is PASS without a box, ERROR for another shape and REVIEW for NaN', async () => {
    expect(await judged(detector, { out: boxes() })).toMatchObject({ verdict: 'PASS', score: 0 });
    expect(await judged(detector, { out: floats(1, 2) })).toMatchObject({
      verdict: 'ERROR',
      reason: { code: 'TENSOR_MISMATCH' },
    });
    expect(await judged(detector, { out: boxes({ cell: 3, sure: Number.NaN, crack: 1 }) })).toMatchObject({
      verdict: 'REVIEW',
    });
  });
});

/** A crack from 8,16 to 24,40 at 0.8, a screw from 40,8 to 56,24 at 0.5, and nothing else of the model's boxes. */
interface Seen {
  readonly xyxy: readonly [number, number, number, number];
  readonly classAt: number;
  readonly score: number;
}
const CRACK: Seen = { xyxy: [8, 16, 24, 40], classAt: 1, score: 0.8 };
const SCREW: Seen = { xyxy: [40, 8, 56, 24], classAt: 0, score: 0.5 };
const NOTHING: Seen = { xyxy: [0, 0, 1, 1], classAt: 0, score: 0.01 };
const SEEN = [SCREW, NOTHING, CRACK];

const centre = ([left, top, right, bottom]: Seen['xyxy']): number[] => [
  (left + right) / 2,
  (top + bottom) / 2,
  right - left,
  bottom - top,
];
const scoresOf = ({ classAt, score }: Seen): number[] => [0, 1].map((at) => (at === classAt ? score : 0.005));
const logit = (value: number): number => Math.log(value / (1 - value));
const table = (rows: readonly (readonly number[])[]): Tensor =>
  float32Tensor([1, rows.length, rows[0]?.length ?? 0], Float32Array.from(rows.flat()));
const turned = (rows: readonly (readonly number[])[]): Tensor =>
  table((rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? 0)));
const longs = (shape: number[], values: readonly number[]): Tensor =>
  makeTensor('int64', shape, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
/** Three for each of the 84 cells of 64 x 64. */
const many = [...SEEN, ...Array.from({ length: 249 }, () => NOTHING)];

const LAYOUTS: readonly [string, Readonly<Record<string, unknown>>, Readonly<Record<string, Tensor>>][] = [
  ['YOLOv5', {}, { output: table(many.map((box) => [...centre(box.xyxy), 1, ...scoresOf(box)])) }],
  [
    'YOLOv5 whose classes are sure and objects are not',
    {},
    {
      output0: table(
        many.map((box) => [...centre(box.xyxy), box.score, ...[0, 1].map((at) => (at === box.classAt ? 1 : 0))]),
      ),
    },
  ],
  ['YOLOv8', {}, { output0: turned(many.map((box) => [...centre(box.xyxy), ...scoresOf(box)])) }],
  [
    'YOLOv8 beside the prototypes of masks, by its name',
    { output: 'boxes8' },
    {
      boxes8: turned(many.map((box) => [...centre(box.xyxy), ...scoresOf(box)])),
      prototypes: floats(1, 2),
    },
  ],
  ['YOLOv8 in float16', {}, { output0: halves(turned(many.map((box) => [...centre(box.xyxy), ...scoresOf(box)]))) }],
  ['end to end', {}, { output0: table(SEEN.map((box) => [...box.xyxy, box.score, box.classAt])) }],
  [
    'end to end, with the place in the batch',
    {},
    {
      output: float32Tensor([3, 7], Float32Array.from(SEEN.flatMap((box) => [0, ...box.xyxy, box.classAt, box.score]))),
    },
  ],
  [
    'boxes with a score, beside labels',
    {},
    {
      dets: table(SEEN.map((box) => [...box.xyxy, box.score])),
      labels: longs(
        [1, 3],
        SEEN.map(({ classAt }) => classAt),
      ),
    },
  ],
  [
    'boxes, scores and labels, counted from 1',
    { background: 'first' },
    {
      boxes: float32Tensor([3, 4], Float32Array.from(SEEN.flatMap(({ xyxy }) => xyxy))),
      labels: longs(
        [3],
        SEEN.map(({ classAt }) => classAt + 1),
      ),
      scores: float32Tensor(
        [3],
        Float32Array.from(SEEN, ({ score }) => score),
      ),
    },
  ],
  [
    'TensorFlow: y first, in shares of the input',
    { unit: 'share', background: 'first' },
    {
      detection_boxes: table(
        SEEN.map(({ xyxy: [left, top, right, bottom] }) => [top, left, bottom, right].map((at) => at / 64)),
      ),
      detection_scores: floats(...SEEN.map(({ score }) => score)),
      detection_classes: floats(...SEEN.map(({ classAt }) => classAt + 1)),
      num_detections: floats(3),
    },
  ],
  [
    'scores with a background before them, in shares',
    { unit: 'share', background: 'first' },
    {
      scores: table(SEEN.map((box) => [1 - box.score, ...scoresOf(box)])),
      boxes: table(SEEN.map(({ xyxy }) => xyxy.map((at) => at / 64))),
    },
  ],
  [
    'DETR: logits, centres, shares, nothing as the last class',
    { unit: 'share', values: 'logits', background: 'last' },
    {
      pred_logits: table(
        SEEN.map((box) =>
          [...scoresOf(box), 1 - scoresOf(box).reduce((sum, one) => sum + one)].map((one) => Math.log(one) + 3),
        ),
      ),
      pred_boxes: table(SEEN.map(({ xyxy }) => centre(xyxy).map((at) => at / 64))),
    },
  ],
  [
    'a logit a class',
    { unit: 'share', values: 'logits', scores: 'labels', coordinates: 'cxcywh' },
    {
      dets: table(SEEN.map(({ xyxy }) => centre(xyxy).map((at) => at / 64))),
      labels: table(SEEN.map((box) => scoresOf(box).map(logit))),
    },
  ],
  [
    'a corner and a size',
    { coordinates: 'xywh' },
    {
      boxes: table(SEEN.map(({ xyxy: [left, top, right, bottom] }) => [left, top, right - left, bottom - top])),
      scores: table(SEEN.map(scoresOf)),
    },
  ],
];

function halves({ shape, data }: Tensor): Tensor {
  const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return makeTensor('float16', shape, new Uint8Array(Uint16Array.from(values, float16Bits).buffer));
}

describe('the layouts of other detectors', () => {
  it.each(LAYOUTS)('%s', async (_, keys, outputs) => {
    const found = await judged(detectorOf(keys), outputs);
    expect(found.reason).toBeNull();
    expect(found.verdict).toBe('NG');
    expect(found.score).toBeCloseTo(0.8, 2);
    const near = ({ xyxy: [left, top, right, bottom], score }: Seen, label: string): object => ({
      x: expect.closeTo(left, 1),
      y: expect.closeTo(top, 1),
      width: expect.closeTo(right - left, 1),
      height: expect.closeTo(bottom - top, 1),
      score: expect.closeTo(score, 2),
      label,
    });
    expect(found.boxes).toEqual([near(CRACK, 'crack'), near(SCREW, 'screw')]);
  });

  it('leaves out what overlaps, unless the model has', async () => {
    const twice = [CRACK, { ...CRACK, xyxy: [9, 16, 25, 40], score: 0.7 } as const];
    const rows = twice.map((box) => [...centre(box.xyxy), 1, ...scoresOf(box)]);
    const raw = await judged(detectorOf({ format: 'yolov5' }), { o: table(rows) });
    expect(raw.boxes).toHaveLength(1);
    const chosen = { o: table(twice.map((box) => [...box.xyxy, box.score, box.classAt])) };
    expect((await judged(detector, chosen)).boxes).toHaveLength(2);
    expect((await judged(detectorOf({ overlap: 0.45 }), chosen)).boxes).toHaveLength(1);
  });

  it('gives the same boxes in a picture that was padded, and none that lie in the bars', async () => {
    // 100 x 50 at 300,20 of the camera's, on 64 x 32 of the input, 16 from its top.
    const geometry: PictureGeometry = {
      taken: { width: 640, height: 480 },
      shown: { x: 300, y: 20, width: 100, height: 50 },
      input: { width: 64, height: 64 },
      area: { x: 0, y: 16, width: 64, height: 32 },
    };
    const beside: Seen = { xyxy: [8, 2, 24, 12], classAt: 1, score: 0.99 };
    const across: Seen = { xyxy: [32, 8, 48, 32], classAt: 1, score: 0.7 };
    const out = table([beside, across].map((box) => [...box.xyxy, box.score, box.classAt]));
    const found = await judged(detector, { out }, geometry);
    expect(found.boxes).toEqual([
      { x: 350, y: 20, width: 25, height: 25, label: 'crack', score: expect.closeTo(0.7, 5) },
    ]);
    expect(found.score).toBeCloseTo(0.7, 5);
  });

  it.each<[string, Partial<Record<keyof DetectorTask, unknown>>, Record<string, Tensor>, RegExp]>([
    [
      'a layout that nobody knows',
      {},
      { out: table([[1, 2, 3]]) },
      /'out' has 1 rows of 3, .*yolox: 2 classes at 64x64 are \[1, 84, 7\].*yolov8: 2 classes are \[1, 6, boxes\]/,
    ],
    [
      'a layout of another number of classes',
      { format: 'yolov8' },
      { out: table([[1, 2, 3]]) },
      /2 classes are \[1, 6, boxes\]/,
    ],
    [
      'several outputs of which none is named',
      {},
      { a: table([[1]]), b: table([[1]]) },
      /which output has the boxes\? There are a, b/,
    ],
    ['an output that is not there', { output: 'c' }, { a: table([[1]]) }, /there is no output 'c' \(there are a\)/],
    [
      'shares that are said to be pixels',
      {},
      { o: table(SEEN.map((box) => [...box.xyxy.map((at) => at / 64), box.score, box.classAt])) },
      /say unit: share/,
    ],
    [
      'pixels that are said to be shares',
      { unit: 'share' },
      { o: table(SEEN.map((box) => [...box.xyxy, box.score, box.classAt])) },
      /say unit: pixels/,
    ],
    [
      'logits that are said to be probabilities',
      {},
      { o: table([[8, 8, 16, 16, 4.5, 1]]) },
      /scores of 'o' reach 4.50: they are logits; say values: logits/,
    ],
    [
      'centres that are said to be corners',
      {},
      { o: table([[40, 40, 8, 8, 0.9, 1]]) },
      /end before they begin: say what their coordinates are/,
    ],
    [
      'a label that is no class',
      {},
      { o: table([[8, 8, 16, 16, 0.9, 2]]) },
      /says class 2, .* names 2, .*background: first/,
    ],
    [
      'a background that is not said',
      {},
      { boxes: table([[8, 8, 16, 16]]), scores: table([[0.1, 0.8, 0.1]]) },
      /scores of 3 classes, the station file names 2; if one is the background, say background: first, or last/,
    ],
  ])('is ERROR, with what to do, for %s', async (_, keys, outputs, words) => {
    const { verdict, reason } = await judged(detectorOf(keys), outputs);
    expect(verdict).toBe('ERROR');
    expect(reason).toMatchObject({ code: 'TENSOR_MISMATCH', message: expect.stringMatching(words) as string });
  });

  it('is REVIEW for a NaN among what no box is made of', async () => {
    const outputs = { boxes: table([[8, 8, Number.NaN, 16]]), scores: table([[0.001, 0.001]]) };
    expect(await judged(detector, outputs)).toMatchObject({ verdict: 'REVIEW', score: null });
  });
});
