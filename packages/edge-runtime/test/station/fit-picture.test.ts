// A picture of another shape than the input: what is filled, what is grey, and where each model sees a thing.
import { float32Tensor, type RgbImage, type TensorSpec, typedView } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { nodeCodec } from '../../src/node/picture/node-codec.ts';
import type { FrameResult } from '../../src/session/outcome.ts';
import { judgeAnswer } from '../../src/station/answer.ts';
import { areaOf, fitPicture, type InputFit } from '../../src/station/fit-picture.ts';
import { DETECTOR_TASK } from '../../src/station/judge/detector-task.ts';
import { makeJudge } from '../../src/station/judge/judge.ts';
import { READABLE } from '../../src/station/picture-check.ts';
import { type PictureOptions, PLAIN_PICTURES } from '../../src/station/picture-rule.ts';
import { preparePicture, usable } from '../../src/station/prepare-picture.ts';

const input = (fit: InputFit['fit'], width = 640, height = 640): InputFit => ({ width, height, fit, padding: 114 });

describe('the part of an input that a picture fills', () => {
  it.each([
    ['all of it when stretched', { width: 1920, height: 1080 }, input('stretch'), [0, 0, 640, 640]],
    ['a band in the middle', { width: 1920, height: 1080 }, input('pad'), [0, 140, 640, 360]],
    ['a band at the top', { width: 1920, height: 1080 }, input('pad-end'), [0, 0, 640, 360]],
    ['a column in the middle', { width: 600, height: 1200 }, input('pad'), [160, 0, 320, 640]],
    ['a column on the left', { width: 600, height: 1200 }, input('pad-end'), [0, 0, 320, 640]],
    ['all of it where the shapes are alike', { width: 320, height: 320 }, input('pad'), [0, 0, 640, 640]],
    ['all of a wide input', { width: 1280, height: 720 }, input('pad', 640, 360), [0, 0, 640, 360]],
    ['one line of a picture that is a thread', { width: 65_536, height: 1 }, input('pad'), [0, 319, 640, 1]],
  ])('is %s', (_, picture, fit, [x, y, width, height]) => {
    expect(areaOf(picture, fit)).toEqual({ x, y, width, height });
  });
});

const white = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(255),
});
const pixelAt = ({ data }: RgbImage, at: number): number[] => [...data.subarray(at * 3, at * 3 + 3)];

it.each([
  { fit: 'pad', inside: [3 + 4 * 16, 3 + 11 * 16], beside: [3 + 3 * 16, 15 + 12 * 16] },
  { fit: 'pad-end', inside: [0, 15 + 7 * 16], beside: [8 * 16, 15 + 15 * 16] },
] as const)('$fit fills with grey what the picture does not', async ({ fit, inside, beside }) => {
  const filled = await fitPicture(white(80, 40), { width: 16, height: 16, fit, padding: 7 }, (...asked) =>
    nodeCodec.resize(...asked),
  );
  expect(filled).toMatchObject({ width: 16, height: 16 });
  expect(filled.data).toHaveLength(16 * 16 * 3);
  for (const at of inside) expect(pixelAt(filled, at)).toEqual([255, 255, 255]);
  for (const at of beside) expect(pixelAt(filled, at)).toEqual([7, 7, 7]);
});

const spec = (side: number): TensorSpec => ({ name: 'image', dtype: 'float32', shape: [1, 3, side, side] });

describe('a picture for two models of different sizes', () => {
  const picture = { kind: 'pixels', image: white(128, 64) } as const;
  const readable = READABLE.read({ minContrast: 0, maxBrightness: 255 }, '');
  const prepared = async (options: Partial<PictureOptions>) => {
    const wanted = {
      picture: { ...PLAIN_PICTURES, crop: null, ...options },
      readable,
      main: [spec(64)],
      small: [spec(32)],
      send: null,
    };
    const read = usable(await preparePicture(picture, wanted, nodeCodec));
    if ('verdict' in read || read.prepared === null) throw new Error('the picture was not prepared');
    return read.prepared;
  };

  it('is in each as that one takes it', async () => {
    const { inputs, small } = await prepared({ fit: 'pad' });
    const values = (given: typeof inputs): Float32Array => {
      const tensor = given.get('image');
      if (tensor === undefined || !('data' in tensor)) throw new Error('not a tensor');
      return typedView(tensor) as Float32Array;
    };
    const main = values(inputs);
    expect(main).toHaveLength(3 * 64 * 64);
    expect([main[0], main[32 * 64]]).toEqual([expect.closeTo(114 / 255, 6), 1]);
    const other = values(small?.inputs ?? new Map());
    expect(other).toHaveLength(3 * 32 * 32);
    expect([other[0], other[16 * 32]]).toEqual([expect.closeTo(114 / 255, 6), 1]);
  });

  it.each(['stretch', 'pad'] as const)('the small one’s boxes are placed by its own size (%s)', async (fit) => {
    const task = {
      kind: 'detector',
      ...DETECTOR_TASK.read({ classes: ['crack'], reject: ['crack'] }, 'task'),
    } as const;
    const judge = await makeJudge(task, { passBelow: 0.4, ngAbove: 0.6 });
    // YOLOX at 32 x 32: 16 + 4 + 1 cells. The box of cell 10 (column 2, row 2 of 8 pixels) has its centre at 20,20.
    const cells = new Float32Array(21 * 6);
    cells.set([0.5, 0.5, 0, 0, 1, 0.9], 10 * 6);
    const outputs = new Map([['output', float32Tensor([1, 21, 6], cells)]]);
    const result = { kind: 'result', outputs, bytesUp: 0, bytesDown: 0 } as unknown as FrameResult;
    const instead = { code: 'LINK_LOST', message: 'gone' } as const;
    const judged = judgeAnswer(
      { by: 'small', result, instead },
      { main: judge, small: judge },
      await prepared({ fit }),
    );
    expect(judged).toMatchObject({ verdict: 'NG', placement: 'small' });
    // 16 to 24 of 32 across 128 pixels; down the same of 64, or of the 16 lines that the picture fills from 8 on.
    const [y, height] = fit === 'stretch' ? [32, 16] : [32, 32];
    expect(judged.boxes).toEqual([{ x: 64, y, width: 32, height, label: 'crack', score: expect.closeTo(0.9, 5) }]);
  });
});
