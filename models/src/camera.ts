// Light of a picture's pixels -> 8-bit RGB: gamma and the noise of a sensor.
import type { RgbImage } from '@kerf/protocol';
import type { Exposure } from './blur.ts';
import { Draws } from './draw.ts';
import { PICTURE_SIZE } from './scene.ts';

const GAMMA_STEPS = 4096;
const GAMMA = Float32Array.from({ length: 2 * GAMMA_STEPS }, (_, index) =>
  Math.min(255, 255 * ((index + 0.5) / GAMMA_STEPS) ** (1 / 1.6)),
);
const NORMALS = normals();

/** Light to a value of 0..255 before rounding: the gamma of a camera. */
export function encoded(light: number): number {
  const step = Math.floor(light * GAMMA_STEPS);
  return GAMMA[step < 0 ? 0 : step < GAMMA.length ? step : GAMMA.length - 1] as number;
}

/**
 * The picture that a camera takes.
 * @param noise its strength: 1 is a good industrial camera
 * @param width, height pixels of the exposure
 */
export function taken(
  exposure: Exposure,
  noise: number,
  seed: number,
  { width, height }: { readonly width: number; readonly height: number } = {
    width: PICTURE_SIZE,
    height: PICTURE_SIZE,
  },
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      const value = encoded((exposure[channel] as Float32Array)[at] as number);
      // Shot noise grows with the light; read noise is always there.
      const sigma = noise * (1.1 + 0.006 * value);
      const noisy = value + sigma * (NORMALS[state >>> 17] as number);
      data[at * 3 + channel] = Math.min(255, Math.max(0, Math.round(noisy)));
    }
  }
  return { width, height, data };
}

function normals(): Float32Array {
  const draws = new Draws(0x5eed, 0);
  return Float32Array.from({ length: 1 << 15 }, () => draws.normal());
}
