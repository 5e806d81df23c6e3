// The models of the rate bench, each with samples to calibrate on and samples held out.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { datasetParts, modelFile, readIdx, type SetOptions, textLines } from '@kerf/models';
import { type ImagePixels, imageToTensor, type RgbImage } from '@kerf/protocol';
import { type Label, metricFor, type TallyMetric } from '@kerf/splitter';
import { RECOGNISER } from '../real-models.ts';

export interface RateSample {
  readonly picture: RgbImage;
  readonly label: Label;
}

/** What levels are calibrated for. */
export interface LossLimit {
  readonly points: number;
  /** That the loss is within them, of a bound on one side: 50 asks no more than that it was seen. */
  readonly confidencePercent: number;
}

export interface RateSubject {
  readonly name: string;
  readonly path: string;
  readonly input: string;
  readonly pixels: ImagePixels;
  readonly width: number;
  readonly height: number;
  readonly metric: TallyMetric;
  /** Samples of full and of short runs. */
  readonly held: { readonly full: number; readonly short: number };
  /** Samples of the split `calibration` that choose levels, and others that judge the choice. */
  readonly calibration: { readonly choose: number; readonly judge: number };
  /** Each by its tensors; a short run takes the first. */
  readonly cuts: readonly (readonly string[])[];
  readonly limits: readonly LossLimit[];
  /** Parts lie alike, so that a golden part helps. */
  readonly isFixture: boolean;
  /** @param split `calibration`, or `test`, which no codec is chosen on. */
  samples(split: 'calibration' | 'test', count: number): Promise<RateSample[]>;
}

export type FoundSubject = RateSubject | { readonly name: string; readonly missing: string };

/** 0 to 1, as the models of this repository take pictures. */
const PLAIN: ImagePixels = { layout: 'nchw', channels: 'rgb', scale: [1 / 255, 1 / 255, 1 / 255], offset: [0, 0, 0] };
const OCR: ImagePixels = { layout: 'nchw', channels: 'bgr', scale: [2 / 255, 2 / 255, 2 / 255], offset: [-1, -1, -1] };
const sure = (...points: number[]): LossLimit[] => points.map((each) => ({ points: each, confidencePercent: 95 }));
/** As others report rates: at a loss that is likely, not one that is shown. */
const LIKELY: LossLimit = { points: 0.5, confidencePercent: 50 };
interface InspectorSizes {
  readonly calibration: RateSubject['calibration'];
  readonly held: number;
  readonly limits: readonly LossLimit[];
}

/** A few parts with large defects carry most of its metric: fewer samples know too little of them. */
const SURFACE_PARTS: InspectorSizes = { calibration: { choose: 267, judge: 533 }, held: 300, limits: sure(0.5) };
const FIXTURE_PARTS: InspectorSizes = { calibration: { choose: 67, judge: 133 }, held: 150, limits: sure(0.5) };
const NARROW_PARTS: InspectorSizes = { calibration: { choose: 134, judge: 266 }, held: 200, limits: sure(0.5) };
const LITE_PARTS: InspectorSizes = {
  calibration: { choose: 100, judge: 800 },
  held: 300,
  limits: [...sure(0.5), LIKELY],
};
/** Where Debian's dataset-fashion-mnist puts it. */
const FASHION = process.env['KERF_FASHION_MNIST'] ?? '/usr/share/datasets/fashion-mnist';

export async function rateSubjects(): Promise<FoundSubject[]> {
  return [
    inspector(
      'surface',
      'surface-v1',
      [
        ['/quarter/quarter.3/Relu_output_0', '/eighth/eighth.2/Relu_output_0'],
        ['/quarter/quarter.3/Relu_output_0'],
        ['/stem/stem.1/stem.1.2/Relu_output_0'],
      ],
      SURFACE_PARTS,
    ),
    inspector('surface in a fixture', 'surface-v1', [['/stem/stem.1/stem.1.2/Relu_output_0']], FIXTURE_PARTS),
    inspector('surface-narrow', 'surface-narrow', [['/Clip_output_0']], NARROW_PARTS),
    inspector(
      'surface-lite',
      'surface-lite',
      [
        ['/quarter/quarter.1/quarter.1.2/Relu_output_0', '/eighth/eighth.2/eighth.2.1/eighth.2.1.2/Relu_output_0'],
        ['/quarter/quarter.1/quarter.1.2/Relu_output_0'],
      ],
      LITE_PARTS,
    ),
    fashion(),
    await reader(),
  ];
}

function inspector(name: string, model: string, cuts: RateSubject['cuts'], sizes: InspectorSizes): FoundSubject {
  const isFixture = sizes === FIXTURE_PARTS;
  const path = modelFile(model);
  if (!existsSync(path)) return { name, missing: `models/files/${model}.onnx is not there` };
  return {
    name,
    path,
    input: 'image',
    pixels: PLAIN,
    width: 384,
    height: 384,
    metric: metricFor('defect', { maskThreshold: 128 / 255 }),
    held: { full: sizes.held, short: 16 },
    calibration: sizes.calibration,
    cuts,
    limits: sizes.limits,
    isFixture,
    // Seed 1: the training took its thresholds from seed 0.
    samples: (split, count) =>
      isFixture
        ? oneFixture(split === 'test' ? FIXTURE_PARTS.calibration.choose + FIXTURE_PARTS.calibration.judge : 0, count)
        : parts({ split, count, seed: 1 }, 0, false),
  };
}

/** One set, since each has its own fixture: the first of it calibrate. */
function oneFixture(skip: number, count: number): Promise<RateSample[]> {
  return parts({ split: 'test', count: skip + count, seed: 2 }, skip, true);
}

async function parts(options: SetOptions, skip: number, fixture: boolean): Promise<RateSample[]> {
  const samples: RateSample[] = [];
  let drawn = 0;
  for await (const { defect, picture } of datasetParts({ ...options, fixture })) {
    if (drawn++ < skip) continue;
    const { image, mask } = picture;
    const { width, height } = image;
    samples.push({ picture: image, label: { kind: 'defect', defect, mask: { width, height, pixels: mask } } });
  }
  return samples;
}

function fashion(): FoundSubject {
  const name = 'fashion';
  const path = modelFile('fashion');
  if (!existsSync(path)) return { name, missing: 'models/files/fashion.onnx is not there' };
  if (!existsSync(join(FASHION, 't10k-images-idx3-ubyte.gz'))) {
    return { name, missing: 'Fashion-MNIST is not there: install dataset-fashion-mnist, or set KERF_FASHION_MNIST' };
  }
  return {
    name,
    path,
    input: 'image',
    pixels: { layout: 'nchw', channels: 'gray', scale: [1 / 255], offset: [0] },
    width: 28,
    height: 28,
    metric: metricFor('class', {}),
    held: { full: 4000, short: 200 },
    calibration: { choose: 2000, judge: 4000 },
    cuts: [['/blocks/blocks.3/Relu_output_0'], ['/blocks/blocks.1/Relu_output_0'], ['/blocks/blocks.0/Relu_output_0']],
    limits: [...sure(0.5, 1, 2), LIKELY],
    isFixture: false,
    // Both halves are of the data set's test pictures, which the model never saw.
    samples: (split, count) => fashionPictures(split === 'test' ? 6000 : 0, count),
  };
}

async function fashionPictures(skip: number, count: number): Promise<RateSample[]> {
  const images = await readIdx(join(FASHION, 't10k-images-idx3-ubyte.gz'), 3);
  const labels = await readIdx(join(FASHION, 't10k-labels-idx1-ubyte.gz'), 1);
  return Array.from({ length: count }, (_, at): RateSample => {
    const index = skip + at;
    const grey = images.data.subarray(index * 784, (index + 1) * 784);
    const data = Uint8Array.from({ length: 784 * 3 }, (_unused, value) => grey[Math.floor(value / 3)]!);
    return { picture: { width: 28, height: 28, data }, label: { kind: 'class', index: labels.data[index]! } };
  });
}

async function reader(): Promise<FoundSubject> {
  const keys = await readFile(join(RECOGNISER.path, '../ppocr_keys_v1.txt'), 'utf8');
  return {
    name: 'PP-OCR recogniser',
    path: RECOGNISER.path,
    input: 'x',
    pixels: OCR,
    width: 320,
    height: 48,
    metric: metricFor('text', { alphabet: keys.trimEnd().split('\n') }),
    held: { full: 300, short: 30 },
    calibration: { choose: 150, judge: 350 },
    cuts: [['p2o.Add.55'], ['p2o.Add.103'], ['p2o.Add.231']],
    limits: sure(0.5, 1),
    isFixture: false,
    samples: async (split, count) => {
      const samples: RateSample[] = [];
      for await (const { image, text } of textLines({ split, count, seed: 1 })) {
        samples.push({ picture: image, label: { kind: 'text', text } });
      }
      return samples;
    },
  };
}

/** The model's inputs for a picture. */
export function inputsOf(
  { input, pixels }: RateSubject,
  picture: RgbImage,
): Map<string, ReturnType<typeof imageToTensor>> {
  return new Map([[input, imageToTensor(picture, pixels, 'float32')]]);
}
