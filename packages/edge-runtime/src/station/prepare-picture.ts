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
import { crop } from './crop.ts';
import { type Judgement, type PictureGeometry, withoutScore } from './judge/judgement.ts';
import { partReason } from './judge/part-reason.ts';
import { pictureFault, type ReadableLimits } from './picture-check.ts';
import type { PictureCodec, PictureCoding } from './picture-codec.ts';
import { type PictureRule, pictureRule } from './picture-rule.ts';
import type { WantedInputs } from './reading-rules.ts';

/** `Inputs` is what a session takes, or plain data that can cross to another thread. */
export interface PreparedPicture<Inputs = FrameInputs> {
  readonly imageSha256: string;
  /** Null where nobody knew what the model takes. */
  readonly prepared: PreparedInputs<Inputs> | null;
}

export interface PreparedInputs<Inputs = FrameInputs> {
  readonly inputs: Inputs;
  /** Of the small model, where there is one. */
  readonly smallInputs: Inputs | null;
  readonly geometry: PictureGeometry;
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
  const { inputs, smallInputs, geometry } = prepared;
  const small = smallInputs === null ? null : usableInputs(smallInputs);
  return { imageSha256, prepared: { inputs: usableInputs(inputs), smallInputs: small, geometry } };
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
  const { x, y, width, height } = wanted.picture.crop ?? { x: 0, y: 0, width: image.width, height: image.height };
  const shown = crop(image, { x, y, width, height });
  const spec = onlyInput(wanted.main);
  const rule = pictureRule(spec, wanted.picture);
  const main = await inputOf(shown, spec, rule, codec, wanted.send);
  const small = wanted.small === null ? null : await smallInput(shown, wanted.small, wanted, codec);
  return {
    inputs: new Map([[spec.name, main]]),
    smallInputs: small,
    geometry: {
      taken: { width: image.width, height: image.height },
      shown: { x, y, width, height },
      input: { width: rule.width, height: rule.height },
    },
  };
}

async function smallInput(
  image: RgbImage,
  specs: readonly TensorSpec[],
  { picture }: WantedInputs,
  codec: PictureCodec,
): Promise<PlainInputs> {
  const spec = onlyInput(specs);
  const rule = pictureRule(spec, { ...picture, size: null });
  return new Map([[spec.name, await inputOf(image, spec, rule, codec, null)]]);
}

async function inputOf(
  image: RgbImage,
  spec: TensorSpec,
  { pixels, width, height }: PictureRule,
  codec: PictureCodec,
  send: PictureCoding | null,
): Promise<Tensor | CodedImage> {
  const resized = await codec.resize(image, width, height);
  const dtype = spec.dtype === 'uint8' ? 'uint8' : 'float32';
  if (send === null) return imageToTensor(resized, pixels, dtype);
  return {
    format: send.format,
    bytes: await codec.encode(resized, send),
    pixels,
    dtype,
    shape: imageTensorShape(pixels, width, height),
    image: resized,
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
