// The runs of a mask -> pixels that lie over the picture.
import type { ResultMask } from '@kerf/edge-runtime';

/** The largest value of a mask, and how opaque it is; smaller ones are clearer. */
const MOST = 15;
const OPAQUE = 190;

/** RGBA of `mask.width` x `mask.height`: `color`, the more opaque the surer the model is. */
export function maskPixels(
  { width, height, runs }: ResultMask,
  [red, green, blue]: readonly [number, number, number],
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  let at = 0;
  for (let index = 0; index + 1 < runs.length; index += 2) {
    const value = runs[index] ?? 0;
    const end = Math.min(at + (runs[index + 1] ?? 0), width * height);
    const alpha = (OPAQUE * Math.min(value, MOST)) / MOST;
    for (let pixel = value > 0 ? at : end; pixel < end; pixel++) {
      const place = pixel * 4;
      pixels[place] = red;
      pixels[place + 1] = green;
      pixels[place + 2] = blue;
      pixels[place + 3] = alpha;
    }
    at = end;
  }
  return pixels;
}
