// A part's picture as the station had it -> the encoded form that screens show, at the size of a screen.
import type { PictureView } from '@kerf/bridge';
import type { DeliveredPicture } from '@kerf/edge-runtime';

/** Longer sides are made smaller: the screen shows no more, and the record has the hash of the original. */
const SCREEN = { longerSide: 1_280, quality: 85 };

/** @throws {KerfError} IMAGE_INVALID, BACKEND_FAILED. */
export function encodedPicture({ original, pictures }: DeliveredPicture): Promise<PictureView> {
  return pictures.shown(original, SCREEN);
}
