// Light as it falls -> light as a lens that is not quite in focus shows it.

/** Linear light of every pixel, before the camera; 1 is the lightest that a picture shows. */
export type Exposure = readonly [Float32Array, Float32Array, Float32Array];

/** Pixels [left, right) x [top, bottom) of a picture. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Pixels to either side that the lens mixes into one. */
export const BLUR_REACH = 2;

/** A Gaussian of five taps, along rows and then columns; at the rim the last pixel stands for those beyond. */
export function blurred(exposure: Exposure, box: Box, sigma: number): Exposure {
  const near = Math.exp(-0.5 / (sigma * sigma));
  const far = Math.exp(-2 / (sigma * sigma));
  const total = 1 + 2 * near + 2 * far;
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const between = new Float32Array(width * height);
  for (const plane of exposure) {
    mix(plane, between, { lines: height, stride: width, length: width, step: 1 }, [
      1 / total,
      near / total,
      far / total,
    ]);
    mix(between, plane, { lines: width, stride: 1, length: height, step: width }, [
      1 / total,
      near / total,
      far / total,
    ]);
  }
  return exposure;
}

interface Lines {
  readonly lines: number;
  readonly stride: number;
  readonly length: number;
  readonly step: number;
}

function mix(from: Float32Array, to: Float32Array, lines: Lines, taps: readonly [number, number, number]): void {
  const { stride, length, step } = lines;
  const [centre, near, far] = taps;
  // Neighbouring columns lie together in memory: the outer loop goes along the lines.
  for (let at = 0; at < length; at++) {
    const here = at * step;
    const one = Math.max(0, at - 1) * step;
    const two = Math.max(0, at - BLUR_REACH) * step;
    const next = Math.min(length - 1, at + 1) * step;
    const last = Math.min(length - 1, at + BLUR_REACH) * step;
    for (let line = 0, base = 0; line < lines.lines; line++, base += stride) {
      to[base + here] =
        centre * (from[base + here] as number) +
        near * ((from[base + one] as number) + (from[base + next] as number)) +
        far * ((from[base + two] as number) + (from[base + last] as number));
    }
  }
}
