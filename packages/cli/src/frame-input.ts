// Files named on the command line -> the input tensors of one frame: pictures, .npy, .pb, or a folder of input_N.pb.
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import {
  type EncodedImage,
  type FrameInputs,
  fitPicture,
  PADDING,
  PICTURE_FITS,
  type PictureOptions,
  type PictureRule,
  pictureRule as ruleFor,
} from '@kerf/edge-runtime';
import { readTensorFile } from '@kerf/onnx/node';
import {
  checkTensors,
  type ImagePixels,
  imageTensorShape,
  imageToTensor,
  KerfError,
  type RgbImage,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import { type CommandLine, type OptionSpec, usageError } from './command.ts';
import { decodeNpy } from './npy.ts';
import { encodeJpeg, encodePng, encodeWebp, readPicture, resizePicture } from './picture.ts';

/** Options of every command that takes pictures as inputs. */
export const PICTURE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  size: {
    type: 'string',
    value: 'WxH',
    help: 'pictures: size of the model input, where the model leaves it open',
    check: pictureOptions,
  },
  mean: {
    type: 'string',
    value: 'R,G,B',
    help: 'pictures: subtracted from the 0..1 pixel (default 0,0,0)',
    check: pictureOptions,
  },
  std: { type: 'string', value: 'R,G,B', help: 'pictures: then divided by (default 1,1,1)', check: pictureOptions },
  channels: {
    type: 'string',
    value: 'ORDER',
    help: 'pictures: rgb, bgr or gray (default: rgb, gray for one channel)',
    check: pictureOptions,
  },
  fit: {
    type: 'string',
    value: 'HOW',
    help: 'pictures of another shape: stretch, pad on both sides, or pad-end (default: stretch)',
    check: pictureOptions,
  },
  padding: {
    type: 'string',
    value: 'GREY',
    help: `pictures: grey of what is padded, 0 to 255 (default ${PADDING})`,
    check: pictureOptions,
  },
};

export const PICTURE_FILE = /\.(png|jpe?g|webp)$/i;

export type { PictureOptions };

/** @throws {KerfError} INVALID_ARGUMENT. */
export function pictureOptions(line: CommandLine): PictureOptions {
  const size = line.text('size');
  const match = size === undefined ? null : /^(\d{1,5})x(\d{1,5})$/.exec(size);
  if (size !== undefined && match === null) throw usageError(`--size must be like 640x480, got '${size}'`);
  return {
    size: match === null ? null : { width: Number(match[1]), height: Number(match[2]) },
    mean: numberList(line, 'mean'),
    std: numberList(line, 'std'),
    channels:
      line.text('channels') === undefined ? null : line.choice('channels', ['rgb', 'bgr', 'gray'] as const, 'rgb'),
    fit: line.text('fit') === undefined ? null : line.choice('fit', PICTURE_FITS, 'stretch'),
    padding: line.text('padding') === undefined ? null : line.number('padding', PADDING, { least: 0, most: 255 }),
  };
}

function numberList(line: CommandLine, name: string): number[] | null {
  const text = line.text(name);
  if (text === undefined) return null;
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.some((value) => !Number.isFinite(value)) || (name === 'std' && values.includes(0))) {
    throw usageError(`--${name} must be numbers with commas between, got '${text}'`);
  }
  return values;
}

/**
 * The inputs of one frame.
 * @param path a picture, a .npy or a .pb for a model of one input; a folder with input_N.pb, or NAME.npy and NAME.pb, for more.
 * @throws {KerfError} FILE_NOT_FOUND, IMAGE_INVALID, TENSOR_MISMATCH, INVALID_ARGUMENT.
 */
export async function readFrame(
  path: string,
  specs: readonly TensorSpec[],
  pictures: PictureOptions,
): Promise<TensorMap> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the input ${path} is not there`, { cause });
  });
  const tensors = found.isDirectory()
    ? await readFolder(path, specs)
    : new Map([[onlyInput(path, specs).name, await readOne(path, onlyInput(path, specs), pictures)]]);
  checkTensors(tensors, specs);
  return tensors;
}

function onlyInput(path: string, specs: readonly TensorSpec[]): TensorSpec {
  const [spec, second] = specs;
  if (spec === undefined || second !== undefined) {
    throw usageError(
      `the model has ${specs.length} inputs (${listOf(specs)}): ${path} must be a folder with input_N.pb files`,
    );
  }
  return spec;
}

function listOf(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => `'${name}'`).join(', ');
}

async function readOne(path: string, spec: TensorSpec, pictures: PictureOptions): Promise<Tensor> {
  switch (extname(path).toLowerCase()) {
    case '.npy':
    case '.pb':
      return (await readTensor(path)).tensor;
    default:
      if (PICTURE_FILE.test(path)) return pictureTensor(path, spec, pictures);
      throw usageError(`${path}: use a .png, .jpg or .webp picture, a .npy array or a .pb tensor`);
  }
}

const NUMBERED_FILE = /^input_(\d+)\.(?:pb|npy)$/;

/**
 * A numbered file is the input that its tensor names, as in ONNX test data, else the input of its number: two inputs of
 * one shape could be swapped unseen. The others are in files named after them.
 */
async function readFolder(path: string, specs: readonly TensorSpec[]): Promise<TensorMap> {
  const files = new Set(await readdir(path));
  const isInput = new Set(specs.map(({ name }) => name));
  const numbered = new Map<string, { file: string; tensor: Tensor }>();
  for (const file of [...files].sort()) {
    const match = NUMBERED_FILE.exec(file);
    if (match === null) continue;
    const { name: said, tensor } = await readTensor(join(path, file));
    const name = isInput.has(said) ? said : specs[Number(match[1])]?.name;
    if (name === undefined) {
      throw usageError(
        `${path}: ${file}${said === '' ? '' : ` ('${said}')`} is no input that the model wants (it has ${listOf(specs)}); ` +
          'a default inside the model cannot be replaced',
      );
    }
    const other = numbered.get(name);
    if (other !== undefined) throw usageError(`${path}: both ${other.file} and ${file} are '${name}'`);
    numbered.set(name, { file, tensor });
  }
  const tensors = new Map<string, Tensor>();
  for (const [index, { name }] of specs.entries()) {
    const named = [`${name}.pb`, `${name}.npy`];
    const file = named.find((candidate) => files.has(candidate));
    const tensor =
      numbered.get(name)?.tensor ?? (file === undefined ? null : (await readTensor(join(path, file))).tensor);
    if (tensor === null) {
      const candidates = [`input_${index}.pb`, `input_${index}.npy`, ...named];
      throw new KerfError('FILE_NOT_FOUND', `${path} has neither ${candidates.join(' nor ')}`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Of a .npy or .pb; without a name where the file has none. */
async function readTensor(file: string): Promise<{ name: string; tensor: Tensor }> {
  return extname(file).toLowerCase() === '.pb'
    ? readTensorFile(file)
    : { name: '', tensor: decodeNpy(await readFile(file)) };
}

/** How a picture crosses when nothing runs here. */
export type SendFormat = 'raw' | 'png' | 'jpeg' | 'webp';

/**
 * A picture resized to the model's input and encoded; other files as {@link readFrame} reads them.
 * @throws {KerfError} as {@link readFrame}.
 */
export async function encodedFrame(
  path: string,
  specs: readonly TensorSpec[],
  options: PictureOptions,
  format: Exclude<SendFormat, 'raw'>,
): Promise<FrameInputs> {
  if (!PICTURE_FILE.test(path)) return readFrame(path, specs, options);
  const spec = onlyInput(path, specs);
  const rule = pictureRule(spec, options);
  const image = await fitPicture(await readPicture(path), rule, resizePicture);
  const dtype = spec.dtype === 'uint8' ? 'uint8' : 'float32';
  return new Map([[spec.name, await encodedInput(image, rule.pixels, dtype, format)]]);
}

/** The input that crosses as an image of `format`. */
export async function encodedInput(
  image: RgbImage,
  pixels: ImagePixels,
  dtype: 'float32' | 'uint8',
  format: Exclude<SendFormat, 'raw'>,
): Promise<EncodedImage> {
  const encode = { png: encodePng, jpeg: encodeJpeg, webp: encodeWebp }[format];
  return {
    format,
    bytes: await encode(image),
    pixels,
    dtype,
    shape: imageTensorShape(pixels, image.width, image.height),
  };
}

async function pictureTensor(path: string, spec: TensorSpec, options: PictureOptions): Promise<Tensor> {
  const rule = pictureRule(spec, options);
  const picture = await readPicture(path).catch((cause: unknown) => {
    if (!KerfError.is(cause) || cause.code !== 'IMAGE_INVALID') throw cause;
    throw new KerfError('IMAGE_INVALID', `${path}: ${cause.message}`, { cause });
  });
  const image = await fitPicture(picture, rule, resizePicture);
  return imageToTensor(image, rule.pixels, spec.dtype === 'uint8' ? 'uint8' : 'float32');
}

/**
 * How a picture fills an input, with the names of the command's options in what it says.
 * @throws {KerfError} TENSOR_MISMATCH when the input is no picture, INVALID_ARGUMENT when its size is open and not given.
 */
export function pictureRule(spec: TensorSpec, options: PictureOptions): PictureRule {
  return ruleFor(spec, options, { size: '--size WxH', mean: '--mean', std: '--std' });
}
