// A picture -> its hash and the models' inputs, or why nothing can be seen.
import {
  imageTensorShape,
  imageToTensor,
  KerfError,
  messageOf,
  type RgbImage,
  type Tensor,
  type TensorSpec,
} from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { EncodedImage, FrameInputs } from '../session/inputs.ts';
import { areaOf, crop, fitPicture, type Rectangle } from './fit-picture.ts';
import { type Judgement, type PictureGeometry, withoutScore } from './judge/judgement.ts';
import { partReason } from './judge/part-reason.ts';
import { pictureFault, type ReadableLimits } from './picture-check.ts';
import type { PictureCodec, PictureCoding } from './picture-codec.ts';
import { type PictureOptions, type PictureRule, pictureRule } from './picture-rule.ts';
import type { WantedInputs } from './reading-rules.ts';

/** `Inputs` is what a session takes, or plain data that can cross to another thread. */
export interface PreparedPicture<Inputs = FrameInputs> {
  readonly imageSha256: string;
  /** Null where nobody knew what the model takes. */
  readonly prepared: PreparedInputs<Inputs> | null;
}

/** Of one model. */
export interface FilledInputs<Inputs = FrameInputs> {
  readonly inputs: Inputs;
  readonly geometry: PictureGeometry;
}

export interface PreparedInputs<Inputs = FrameInputs> extends FilledInputs<Inputs> {
  /** Of the small model, where there is one. */
  readonly small: FilledInputs<Inputs> | null;
}

/** One input by its name. */
export type PlainInputs = ReadonlyMap<string, Tensor | CodedImage>;

/** With the pixels of the input's size, for a run on the device. */
export interface CodedImage extends Omit<EncodedImage, 'toTensor' | 'dtype'> {
  readonly dtype: 'float32' | 'uint8';
  readonly image: RgbImage;
}

/** What a session takes of plain data. */
export function usable(read: PreparedPicture<PlainInputs> | Judgement): PreparedPicture | Judgement {
  if ('verdict' in read) return read;
  const { imageSha256, prepared } = read;
  if (prepared === null) return { imageSha256, prepared };
  const { inputs, geometry, small } = prepared;
  const usableSmall = small === null ? null : { ...small, inputs: usableInputs(small.inputs) };
  return { imageSha256, prepared: { inputs: usableInputs(inputs), geometry, small: usableSmall } };
}

function usableInputs(inputs: PlainInputs): FrameInputs {
  return new Map(Array.from(inputs, ([name, input]) => [name, 'image' in input ? usableImage(input) : input]));
}

function usableImage({ image, ...coded }: CodedImage): EncodedImage {
  return { ...coded, toTensor: () => imageToTensor(image, coded.pixels, coded.dtype) };
}

/** @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT where pictures do not fit the model. */
export async function preparePicture(
  picture: Picture,
  wanted: WantedInputs,
  codec: PictureCodec,
): Promise<PreparedPicture<PlainInputs> | Judgement> {
  const read = await readPicture(picture, wanted.readable, codec);
  if ('verdict' in read) return read;
  const { main } = wanted;
  const prepared = main === null ? null : await prepareInputs(read.image, { ...wanted, main }, codec);
  return { imageSha256: read.imageSha256, prepared };
}

/** Decodes and looks: a judgement where nothing can be seen. */
async function readPicture(
  picture: Picture,
  readable: ReadableLimits,
  codec: PictureCodec,
): Promise<{ readonly image: RgbImage; readonly imageSha256: string } | Judgement> {
  try {
    const imageSha256 = await codec.sha256(picture.kind === 'encoded' ? picture.bytes : picture.image.data);
    const image = await codec.decode(picture);
    const fault = pictureFault(image, readable);
    return fault === null ? { image, imageSha256 } : withoutScore('NO_READ', partReason(fault));
  } catch (error) {
    const { code, message } = KerfError.from(error, 'IMAGE_INVALID', `the picture cannot be read: ${messageOf(error)}`);
    return withoutScore('NO_READ', { code, message });
  }
}

async function prepareInputs(
  image: RgbImage,
  wanted: WantedInputs & { readonly main: readonly TensorSpec[] },
  codec: PictureCodec,
): Promise<PreparedInputs<PlainInputs>> {
  const part = wanted.picture.crop ?? { x: 0, y: 0, width: image.width, height: image.height };
  const seen = { taken: image, part, shown: crop(image, part) };
  const main = await filled(seen, wanted.main, wanted.picture, codec, wanted.send);
  // Its size is its own: what the file says of an open one is said of the other model.
  const options = { ...wanted.picture, size: null };
  const small = wanted.small === null ? null : await filled(seen, wanted.small, options, codec, null);
  return { ...main, small };
}

/** A picture and the part of it that models see. */
interface SeenPicture {
  readonly taken: RgbImage;
  readonly part: Rectangle;
  readonly shown: RgbImage;
}

async function filled(
  { taken, part, shown }: SeenPicture,
  specs: readonly TensorSpec[],
  options: PictureOptions,
  codec: PictureCodec,
  send: PictureCoding | null,
): Promise<FilledInputs<PlainInputs>> {
  const spec = onlyInput(specs);
  const rule = pictureRule(spec, options);
  const { x, y, width, height } = part;
  return {
    inputs: new Map([[spec.name, await inputOf(shown, spec, rule, codec, send)]]),
    geometry: {
      taken: { width: taken.width, height: taken.height },
      shown: { x, y, width, height },
      input: { width: rule.width, height: rule.height },
      area: areaOf(shown, rule),
    },
  };
}

async function inputOf(
  image: RgbImage,
  spec: TensorSpec,
  rule: PictureRule,
  codec: PictureCodec,
  send: PictureCoding | null,
): Promise<Tensor | CodedImage> {
  const { pixels, width, height } = rule;
  const filling = await fitPicture(image, rule, (...asked) => codec.resize(...asked));
  const dtype = spec.dtype === 'uint8' ? 'uint8' : 'float32';
  if (send === null) return imageToTensor(filling, pixels, dtype);
  return {
    format: send.format,
    bytes: await codec.encode(filling, send),
    pixels,
    dtype,
    shape: imageTensorShape(pixels, width, height),
    image: filling,
  };
}

/** @throws {KerfError} INVALID_ARGUMENT for a model of several inputs. */
function onlyInput(specs: readonly TensorSpec[]): TensorSpec {
  const [spec, second] = specs;
  if (spec !== undefined && second === undefined) return spec;
  const names = specs.map(({ name }) => `'${name}'`).join(', ');
  throw new KerfError(
    'INVALID_ARGUMENT',
    `a station feeds one picture, the model has ${specs.length} inputs (${names})`,
  );
}
