// The picture given, or random values at the profile's sizes -> what every measured frame shows the model.
import type { ModelFile } from '@kerf/onnx/node';
import { imageToTensor, KerfError, seededRandom, type Tensor } from '@kerf/protocol';
import { type DeviceProfile, mergeSpec, sampleTensor } from '@kerf/splitter';
import type { FrameSource } from '../measure/placements.ts';
import type { PictureInput } from './image-candidates.ts';

const SEED = 1;

/** @throws {KerfError} MODEL_UNSUPPORTED for an input whose values cannot be made up. */
export function frameSource(model: ModelFile, profile: DeviceProfile, picture: PictureInput | null): FrameSource {
  const { graph } = model;
  if (picture !== null) {
    const { image, pixels, dtype } = picture;
    const tensors = new Map(graph.inputs.map((name) => [name, imageToTensor(image, pixels, dtype)]));
    return { tensors, picture };
  }
  const random = seededRandom(SEED);
  const tensors = graph.inputs.map((name): [string, Tensor] => {
    const { dtype } = mergeSpec(graph, name, undefined);
    const shape = Object.hasOwn(profile.inputShapes, name) ? profile.inputShapes[name] : undefined;
    if (dtype === null || shape === undefined) {
      throw new KerfError(
        'MODEL_UNSUPPORTED',
        `--measure cannot make up values for input '${name}': the profile does not say its size, or it is no tensor`,
      );
    }
    return [name, sampleTensor(name, dtype, shape, random, 'named')];
  });
  return { tensors: new Map(tensors), picture: null };
}
