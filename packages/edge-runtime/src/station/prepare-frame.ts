// A capture -> the model's inputs, or why nothing can be read.
import { imageTensorShape, imageToTensor, KerfError, messageOf, type RgbImage, type TensorSpec } from '@kerf/protocol';
import type { Capture, Picture } from '../capture/capture.ts';
import type { FrameInput, FrameInputs } from '../session/inputs.ts';
import { crop } from './crop.ts';
import { withoutScore } from './judge/judge.ts';
import { type Judgement, type PictureGeometry } from './judge/judgement.ts';
import { partReason } from './judge/part-reason.ts';
import { pictureFault, type ReadableLimits } from './picture-check.ts';
import { type PictureOptions, type PictureRule, pictureRule } from './picture-rule.ts';
import type { PictureCoding, Pictures } from './pictures.ts';

export interface PreparedFrame {
  readonly inputs: FrameInputs;
  /** Of the small model, where there is one. */
  readonly smallInputs: FrameInputs | null;
  readonly geometry: PictureGeometry;
  readonly imageSha256: string;
}

export interface PartIdRule {
  /** Regular expression that a part id must match as a whole; null takes any. */
  readonly pattern: string | null;
  /** A part without an id cannot be traced: `NO_READ`. */
  readonly required: boolean;
}

/** How a station reads pictures. */
export interface Reading {
  readonly pictures: Pictures;
  readonly picture: PictureOptions & { readonly crop: Rectangle | null };
  readonly readable: ReadableLimits;
  readonly partId: PartIdRule;
  /** Where the whole model runs in the cloud: the picture crosses coded; null sends tensors. */
  readonly send: PictureCoding | null;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is wrong with a capture before its picture is looked at; null where nothing is. */
export function captureFault(capture: Capture, { partId, readable }: Reading): Judgement | null {
  if (capture.picture === null) {
    return withoutScore('NO_READ', capture.fault ?? partReason({ kind: 'no-picture' }));
  }
  if (capture.partId === null && partId.required) {
    return withoutScore('NO_READ', partReason({ kind: 'no-part-id' }));
  }
  if (capture.partId !== null && partId.pattern !== null && !matches(capture.partId, partId.pattern)) {
    return withoutScore('NO_READ', partReason({ kind: 'unknown-part', partId: clipped(capture.partId) }));
  }
  if (capture.isRepeat && !capture.isSimulated && readable.repeated === 'refuse') {
    return withoutScore('NO_READ', partReason({ kind: 'repeated-picture' }));
  }
  return null;
}

function matches(text: string, pattern: string): boolean {
  // Part ids are short; a pattern that backtracks has little to work on.
  return text.length <= 256 && new RegExp(`^(?:${pattern})$`, 'u').test(text);
}

function clipped(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 61)}...`;
}

export interface ReadPicture {
  readonly image: RgbImage;
  readonly imageSha256: string;
}

/** Decodes and looks: a finding where nothing can be seen. */
export async function readPictureOf(
  picture: Picture,
  { pictures, readable }: Reading,
): Promise<ReadPicture | Judgement> {
  try {
    const imageSha256 = await pictures.sha256(picture.kind === 'encoded' ? picture.bytes : picture.image.data);
    const image = await pictures.decode(picture);
    const fault = pictureFault(image, readable);
    return fault === null ? { image, imageSha256 } : withoutScore('NO_READ', partReason(fault));
  } catch (error) {
    const { code, message } = KerfError.from(error, 'IMAGE_INVALID', `the picture cannot be read: ${messageOf(error)}`);
    return withoutScore('NO_READ', { code, message });
  }
}

/** @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT where pictures do not fit the model. */
export async function prepareInputs(
  image: RgbImage,
  specs: { readonly main: readonly TensorSpec[]; readonly small: readonly TensorSpec[] | null },
  reading: Reading,
): Promise<Pick<PreparedFrame, 'inputs' | 'smallInputs' | 'geometry'>> {
  const { x, y, width, height } = reading.picture.crop ?? { x: 0, y: 0, width: image.width, height: image.height };
  const shown = crop(image, { x, y, width, height });
  const spec = onlyInput(specs.main);
  const rule = pictureRule(spec, reading.picture);
  const main = await inputOf(shown, spec, rule, reading, reading.send);
  const small = specs.small === null ? null : await smallInput(shown, specs.small, reading);
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

async function smallInput(image: RgbImage, specs: readonly TensorSpec[], reading: Reading): Promise<FrameInputs> {
  const spec = onlyInput(specs);
  const rule = pictureRule(spec, { ...reading.picture, size: null });
  return new Map([[spec.name, await inputOf(image, spec, rule, reading, null)]]);
}

async function inputOf(
  image: RgbImage,
  spec: TensorSpec,
  { pixels, width, height }: PictureRule,
  { pictures }: Reading,
  send: PictureCoding | null,
): Promise<FrameInput> {
  const resized = await pictures.resize(image, width, height);
  const dtype = spec.dtype === 'uint8' ? 'uint8' : 'float32';
  if (send === null) return imageToTensor(resized, pixels, dtype);
  return {
    format: send.format,
    bytes: await pictures.encode(resized, send),
    pixels,
    dtype,
    shape: imageTensorShape(pixels, width, height),
    toTensor: () => imageToTensor(resized, pixels, dtype),
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
