// What a model's input declares, and how pictures are to be read -> the rule by which a picture fills the input.
import { type Dimension, describeTensor, type ImagePixels, KerfError, type TensorSpec } from '@kerf/protocol';
import { type InputFit, PADDING, type PictureFit } from './fit-picture.ts';

/** How pictures become tensors, as a person says it; null leaves it to the model. */
export interface PictureOptions {
  /** Of the input, where the model leaves it open. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** Subtracted from the 0..1 pixel, one value or one for each channel. */
  readonly mean: readonly number[] | null;
  /** Then divided by. */
  readonly std: readonly number[] | null;
  readonly channels: ImagePixels['channels'] | null;
  /** Where the picture has another shape than the input. @default stretch */
  readonly fit: PictureFit | null;
  /** Grey of the bars, 0 to 255. @default 114 */
  readonly padding: number | null;
}

export interface PictureRule extends InputFit {
  readonly pixels: ImagePixels;
}

/** Nothing said. */
export const PLAIN_PICTURES: PictureOptions = {
  size: null,
  mean: null,
  std: null,
  channels: null,
  fit: null,
  padding: null,
};

/** How messages name the options; commands say `--size WxH`. */
export interface PictureWords {
  readonly size: string;
  readonly mean: string;
  readonly std: string;
}

const FILE_WORDS: PictureWords = { size: 'picture.size', mean: 'picture.mean', std: 'picture.std' };

/**
 * How a picture fills an input: layout and channels from its declared shape, the rest from the options.
 * @throws {KerfError} TENSOR_MISMATCH when the input is no picture, INVALID_ARGUMENT when its size is open and not given.
 */
export function pictureRule(spec: TensorSpec, options: PictureOptions, words: PictureWords = FILE_WORDS): PictureRule {
  const { shape } = spec;
  const [, second = null, third = null, fourth = null] = shape ?? [];
  const isChannels = (size: Dimension): boolean => size === 1 || size === 3;
  const layout = isChannels(second) || !isChannels(fourth) ? 'nchw' : 'nhwc';
  const count = options.channels === 'gray' || (layout === 'nchw' ? second : fourth) === 1 ? 1 : 3;
  if (shape?.length !== 4 || (spec.dtype !== 'float32' && spec.dtype !== 'uint8')) {
    throw new KerfError('TENSOR_MISMATCH', `input '${spec.name}' is ${describeTensor(spec)}: a picture cannot fill it`);
  }
  const height = sideOf(layout === 'nchw' ? third : second, options.size?.height, spec, words);
  const width = sideOf(layout === 'nchw' ? fourth : third, options.size?.width, spec, words);
  const mean = perChannel(words.mean, options.mean ?? [0], count);
  const std = perChannel(words.std, options.std ?? [1], count);
  const pixels: ImagePixels = {
    layout,
    channels: options.channels ?? (count === 1 ? 'gray' : 'rgb'),
    scale: std.map((value) => 1 / (255 * value)),
    offset: std.map((value, channel) => -(mean[channel] ?? 0) / value),
  };
  return { pixels, width, height, fit: options.fit ?? 'stretch', padding: options.padding ?? PADDING };
}

function sideOf(declared: Dimension, given: number | undefined, spec: TensorSpec, words: PictureWords): number {
  if (typeof declared !== 'number') {
    if (given === undefined) throw invalid(`input '${spec.name}' leaves its size open: give ${words.size}`);
    return given;
  }
  if (given !== undefined && given !== declared) {
    const option = words.size.split(' ', 1)[0];
    throw invalid(`${option} does not fit input '${spec.name}' (${describeTensor(spec)}); leave it out`);
  }
  return declared;
}

function perChannel(name: string, values: readonly number[], count: number): number[] {
  if (values.length === count) return [...values];
  const [first] = values;
  if (values.length === 1 && first !== undefined) return Array.from({ length: count }, () => first);
  throw invalid(`${name} needs 1 or ${count} numbers, got ${values.length}`);
}

function invalid(message: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', message);
}
