// A picture at the size of the model's input -> its bytes in each image format, with the times to encode and decode it here.
import { fitPicture } from '@kerf/edge-runtime';
import type { ModelFile } from '@kerf/onnx/node';
import { type ImagePixels, imageToTensor, type RgbImage, type TensorSpec } from '@kerf/protocol';
import { type DeviceProfile, type ImageInput, mergeSpec } from '@kerf/splitter';
import { type CommandLine, usageError } from '../command.ts';
import { type PictureOptions, pictureRule } from '../frame-input.ts';
import { describeCoding, encodePicture, isLossless } from '../measure/picture-coding.ts';
import type { PictureCoding } from '../measure/placements.ts';
import { decodePicture, readPicture, resizePicture } from '../picture.ts';

const CODINGS: readonly PictureCoding[] = [
  { format: 'png' },
  { format: 'webp', quality: null },
  { format: 'jpeg', quality: 90 },
  { format: 'jpeg', quality: 75 },
  { format: 'webp', quality: 90 },
  { format: 'webp', quality: 75 },
];

export const IMAGE_CODINGS: ReadonlyMap<string, PictureCoding> = new Map(
  CODINGS.map((coding) => [describeCoding(coding), coding]),
);

/** Runs of which the median is taken; slow formats end early. */
const MAX_RUNS = 7;
const BUDGET_MS = 400;

/** The model's only input as a picture. */
export interface PictureInput {
  readonly image: RgbImage;
  readonly pixels: ImagePixels;
  readonly dtype: 'float32' | 'uint8';
}

/** @throws {KerfError} INVALID_ARGUMENT, TENSOR_MISMATCH when the input is no picture, FILE_NOT_FOUND, IMAGE_INVALID. */
export async function readPictureInput(
  path: string,
  model: ModelFile,
  profile: DeviceProfile,
  options: PictureOptions,
): Promise<PictureInput> {
  const spec = onlyInput(model, profile);
  const rule = pictureRule(spec, options);
  const image = await fitPicture(await readPicture(path), rule, resizePicture);
  return { image, pixels: rule.pixels, dtype: spec.dtype === 'uint8' ? 'uint8' : 'float32' };
}

function onlyInput({ graph }: ModelFile, profile: DeviceProfile): TensorSpec {
  const [name, second] = graph.inputs;
  if (name === undefined || second !== undefined) {
    throw usageError(`--input is for models of one input, a picture; this one has ${graph.inputs.length}`);
  }
  const spec = mergeSpec(graph, name, undefined);
  const shape = Object.hasOwn(profile.inputShapes, name) ? profile.inputShapes[name] : undefined;
  return shape === undefined ? spec : { ...spec, shape };
}

/** Losses that were stated as `JPEG 90=0.3`, by format. @throws {KerfError} INVALID_ARGUMENT. */
export function statedLosses(line: CommandLine): Map<string, number> {
  const lossy = [...IMAGE_CODINGS].filter(([, coding]) => !isLossless(coding)).map(([name]) => name);
  return new Map(
    line.texts('image-loss').map((text): [string, number] => {
      const at = text.lastIndexOf('=');
      const name = lossy.find((one) => one.toLowerCase() === text.slice(0, Math.max(0, at)).trim().toLowerCase());
      const points = text.slice(at + 1).trim() === '' ? Number.NaN : Number(text.slice(at + 1));
      if (at < 1 || name === undefined || !(points >= 0 && points <= 100)) {
        throw usageError(
          `--image-loss must be FORMAT=POINTS, such as "JPEG 90=0.3", with one of ${lossy.join(', ')}; got '${text}'`,
        );
      }
      return [name, points];
    }),
  );
}

/** Every format, measured on this machine: encoding from pixels, decoding to the tensor that the model takes. */
export async function imageInputs(input: PictureInput, losses: ReadonlyMap<string, number>): Promise<ImageInput[]> {
  const found: ImageInput[] = [];
  for (const [name, coding] of IMAGE_CODINGS) {
    const encoded = await timed(() => encodePicture(input.image, coding));
    const decoded = await timed(async () =>
      imageToTensor(await decodePicture(encoded.value), input.pixels, input.dtype),
    );
    found.push({
      name,
      bytes: encoded.value.byteLength,
      encodeMs: encoded.ms,
      decodeMs: decoded.ms,
      maxLoss: isLossless(coding) ? 0 : (losses.get(name) ?? null),
    });
  }
  return found;
}

/** The median of a few runs behind one that warms up. */
async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const beganMs = performance.now();
  const value = await run();
  const firstMs = performance.now() - beganMs;
  const times: number[] = [];
  while (times.length < MAX_RUNS && performance.now() - beganMs < BUDGET_MS) {
    const startMs = performance.now();
    await run();
    times.push(performance.now() - startMs);
  }
  times.sort((left, right) => left - right);
  return { value, ms: times[times.length >> 1] ?? firstMs };
}
