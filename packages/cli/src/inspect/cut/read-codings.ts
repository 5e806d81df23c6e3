// What a station file names of codecs and a picture -> how what crosses can be sent, as `kerf plan --codecs --input` reads it.
import { basename } from 'node:path';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import type { DeviceProfile } from '@kerf/splitter';
import { imageInputs, readPictureInput } from '../../plan/image-candidates.ts';
import { readCodecs } from '../../plan/read-codecs.ts';
import type { CutSubject } from './build-cut-plan.ts';
import type { PlannerSetup } from './cut-messages.ts';

type Codings = Pick<CutSubject, 'calibrated' | 'images'>;

export const NO_CODINGS: Codings = { calibrated: [], images: [] };

/** Errors name what the station file names, without the folders of this device. @throws {KerfError} as `kerf plan`. */
export async function readCodings(
  model: ModelFile,
  edge: DeviceProfile,
  { codecPaths, picture }: Pick<PlannerSetup, 'codecPaths' | 'picture'>,
): Promise<Codings> {
  const calibrated = await readCodecs(codecPaths, model, edge, (path) => `profiles.codecs: '${basename(path)}'`);
  if (picture === null) return { calibrated, images: [] };
  const { path, options } = picture;
  try {
    const input = await readPictureInput(path, model, edge, options);
    return { calibrated, images: await imageInputs(input, new Map()) };
  } catch (error) {
    const { code, message } = KerfError.from(error, 'IMAGE_INVALID', 'the picture cannot be used');
    throw new KerfError(code, `profiles.picture: ${message.replaceAll(path, basename(path))}`, { cause: error });
  }
}
