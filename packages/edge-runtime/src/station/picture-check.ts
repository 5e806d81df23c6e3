// Pixels and the file's limits -> whether a picture shows anything, or what is wrong with it.
import type { RgbImage } from '@kerf/protocol';
import { maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, number } from '../config/values.ts';
import type { ReasonDetail } from './result-record.ts';

const side = number({ least: 1, most: 65_536, whole: true });

/** The `readable` group of a station file: a picture outside of these limits is `NO_READ`. */
export const READABLE = object({
  minWidth: maybe(side, 'least width of the picture that was taken, in pixels'),
  maxWidth: maybe(side, 'largest width, in pixels'),
  minHeight: maybe(side, 'least height, in pixels'),
  maxHeight: maybe(side, 'largest height, in pixels'),
  minBrightness: withDefault(
    number({ least: 0, most: 255 }),
    2,
    'mean brightness below this is too dark (0 to 255; a capped lens gives 0)',
  ),
  maxBrightness: withDefault(number({ least: 0, most: 255 }), 253, 'mean brightness above this is too bright'),
  minContrast: withDefault(
    number({ least: 0, most: 128 }),
    1,
    'standard deviation of brightness below this is a flat picture that shows nothing',
  ),
  repeated: withDefault(
    choice(['refuse', 'accept']),
    'refuse',
    'a live picture that equals the one before it byte for byte comes from a frozen camera; recordings are never refused',
  ),
});

export type ReadableLimits = ValueOf<typeof READABLE>;

/** Pixels that are looked at, of whatever size the picture is. */
const SAMPLED_PIXELS = 65_536;

/** @returns what is wrong; null where nothing is. */
export function pictureFault(image: RgbImage, limits: ReadableLimits): ReasonDetail | null {
  const { width, height } = image;
  if (outside(width, limits.minWidth, limits.maxWidth) || outside(height, limits.minHeight, limits.maxHeight)) {
    return { kind: 'picture-size', width, height };
  }
  const { mean, deviation } = brightnessOf(image);
  if (mean < limits.minBrightness) return { kind: 'too-dark', brightness: mean };
  if (mean > limits.maxBrightness) return { kind: 'too-bright', brightness: mean };
  if (deviation < limits.minContrast) return { kind: 'flat', contrast: deviation };
  return null;
}

function outside(value: number, least: number | null, most: number | null): boolean {
  return (least !== null && value < least) || (most !== null && value > most);
}

/** Mean and standard deviation of the luma (ITU-R BT.601) of evenly spread pixels. */
export function brightnessOf({ data }: RgbImage): { readonly mean: number; readonly deviation: number } {
  const pixels = data.length / 3;
  // An odd step does not fall into step with the columns of a picture.
  const step = Math.max(1, Math.floor(pixels / SAMPLED_PIXELS)) | 1;
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let pixel = 0; pixel < pixels; pixel += step) {
    const at = pixel * 3;
    const luma = 0.299 * (data[at] as number) + 0.587 * (data[at + 1] as number) + 0.114 * (data[at + 2] as number);
    count++;
    sum += luma;
    squares += luma * luma;
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
