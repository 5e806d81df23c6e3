// One entry of a sample set -> the tensors of the model's inputs and the label, masks included.
import { areaOf, fitPicture, type InputFit } from '@kerf/edge-runtime';
import { imageToTensor, KerfError, messageOf, type RgbImage, type TensorMap, type TensorSpec } from '@kerf/protocol';
import type { Label, Mask, TaskSample } from '@kerf/splitter';
import { PICTURE_FILE, type PictureOptions, pictureRule, readFrame } from '../frame-input.ts';
import { readPicture, resizePicture } from '../picture.ts';
import type { EntryLabel, SampleEntry, SampleSet } from './sample-set.ts';

/** What the picture becomes on its way to the model: an image codec, say. At the size of the model's input. */
export type Recode = (image: RgbImage) => Promise<RgbImage>;

export interface LoadOptions {
  readonly specs: readonly TensorSpec[];
  readonly pictures: PictureOptions;
  readonly recode?: Recode | undefined;
}

/** Reads samples one after the other, when they are asked for. @throws {KerfError} as {@link loadSample}. */
export async function* loadSamples(set: SampleSet, options: LoadOptions): AsyncGenerator<TaskSample> {
  for (const entry of set.entries) yield await loadSample(set, entry, options);
}

/** @throws {KerfError} SAMPLES_UNUSABLE naming the file and what is wrong with it; INVALID_ARGUMENT for wrong options. */
export async function loadSample(set: SampleSet, entry: SampleEntry, options: LoadOptions): Promise<TaskSample> {
  try {
    const isPicture = PICTURE_FILE.test(entry.path);
    if (!isPicture && options.recode !== undefined) {
      throw new KerfError('SAMPLES_UNUSABLE', 'it is no picture, so no image format can carry it');
    }
    const picture = isPicture ? await readPicture(entry.path) : null;
    const inputs =
      picture === null
        ? await readFrame(entry.path, options.specs, options.pictures)
        : await pictureInputs(picture, options);
    const label = await labelOf(entry.label, set.hasMasks, picture);
    const [spec] = options.specs;
    const isPadded = picture !== null && spec !== undefined && (options.pictures.fit ?? 'stretch') !== 'stretch';
    return { id: entry.id, inputs, label: isPadded ? paddedLabel(label, pictureRule(spec, options.pictures)) : label };
  } catch (cause) {
    // The fault is in an option, not in the sample.
    if (KerfError.is(cause) && cause.code === 'INVALID_ARGUMENT') throw cause;
    throw new KerfError('SAMPLES_UNUSABLE', `sample ${entry.path}: ${messageOf(cause)}`, { cause });
  }
}

async function pictureInputs(picture: RgbImage, { specs, pictures, recode }: LoadOptions): Promise<TensorMap> {
  const [spec, second] = specs;
  if (spec === undefined || second !== undefined) {
    const names = specs.map(({ name }) => `'${name}'`).join(', ');
    throw new KerfError(
      'SAMPLES_UNUSABLE',
      `a picture cannot fill the ${specs.length} inputs ${names}; use folders with NAME.npy or input_N.pb files`,
    );
  }
  const rule = pictureRule(spec, pictures);
  const image = await fitPicture(picture, rule, resizePicture);
  const arrived = recode === undefined ? image : await recode(image);
  return new Map([[spec.name, imageToTensor(arrived, rule.pixels, spec.dtype === 'uint8' ? 'uint8' : 'float32')]]);
}

async function labelOf(label: EntryLabel | null, hasMasks: boolean, picture: RgbImage | null): Promise<Label | null> {
  if (label?.kind !== 'defect') return label;
  const { defect, maskPath } = label;
  if (maskPath !== null) return { kind: 'defect', defect, mask: await readMask(maskPath, picture) };
  // The pixels of good parts count like those of the others: all sound.
  if (!hasMasks || defect !== null || picture === null) return { kind: 'defect', defect, mask: null };
  const { width, height } = picture;
  return { kind: 'defect', defect, mask: { width, height, pixels: new Uint8Array(width * height) } };
}

/** A pixel belongs to the defect from half brightness on. */
async function readMask(path: string, picture: RgbImage | null): Promise<Mask> {
  const { width, height, data } = await readPicture(path);
  if (picture !== null && (picture.width !== width || picture.height !== height)) {
    throw new KerfError(
      'SAMPLES_UNUSABLE',
      `its mask ${path} is ${width}x${height}, the picture ${picture.width}x${picture.height}`,
    );
  }
  const pixels = new Uint8Array(width * height);
  for (let at = 0; at < pixels.length; at++) pixels[at] = (data[at * 3] as number) >= 128 ? 1 : 0;
  if (!pixels.includes(1)) throw new KerfError('SAMPLES_UNUSABLE', `its mask ${path} marks no pixel`);
  return { width, height, pixels };
}

/** The mask on a canvas that has the input's proportions, as the picture lies in it: bars are sound. */
function paddedLabel(label: Label | null, input: InputFit): Label | null {
  if (label?.kind !== 'defect' || label.mask === null) return label;
  const { width, height, pixels } = label.mask;
  const area = areaOf({ width, height }, input);
  const scale = width / area.width;
  const canvas = { width: Math.round(input.width * scale), height: Math.round(input.height * scale) };
  const left = Math.min(canvas.width - width, Math.round(area.x * scale));
  const top = Math.min(canvas.height - height, Math.round(area.y * scale));
  const padded = new Uint8Array(canvas.width * canvas.height);
  for (let row = 0; row < height; row++) {
    padded.set(pixels.subarray(row * width, (row + 1) * width), (top + row) * canvas.width + left);
  }
  return { ...label, mask: { ...canvas, pixels: padded } };
}
