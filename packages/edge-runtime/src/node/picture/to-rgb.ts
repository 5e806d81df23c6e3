// Samples as the library decodes them -> RGB of 8 bits, slice by slice: a large picture holds up nothing else in its thread.
import { endianness } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { KerfError } from '@kerf/protocol';
import type { JsColorType } from '@napi-rs/image';
import { rgbPixels } from '../../capture/rgb-pixels.ts';
import { imageLibrary } from './image-library.ts';

/** Channels and bytes per sample of the colour types that PNG, JPEG and WebP decode to. */
const LAYOUTS: Readonly<Partial<Record<keyof typeof JsColorType, readonly [1 | 2 | 3 | 4, 1 | 2]>>> = {
  L8: [1, 1],
  La8: [2, 1],
  Rgb8: [3, 1],
  Rgba8: [4, 1],
  L16: [1, 2],
  La16: [2, 2],
  Rgb16: [3, 2],
  Rgba16: [4, 2],
};

/** About two milliseconds of a small machine. */
const SLICE_PIXELS = 2 ** 17;
/** The library returns 16-bit samples in the machine's byte order; this is where their high byte lies. */
const HIGH_BYTE = endianness() === 'LE' ? 1 : 0;

/**
 * Grey becomes three equal channels, 16-bit samples keep their high byte, what is transparent shows black.
 * @throws {KerfError} IMAGE_INVALID for another colour type.
 */
export async function toRgb(raw: Uint8Array, colorType: JsColorType, pixels: number): Promise<Uint8Array> {
  const types = imageLibrary().JsColorType;
  const name = (Object.keys(LAYOUTS) as (keyof typeof JsColorType)[]).find((known) => types[known] === colorType);
  const [channels, bytes] = (name === undefined ? null : LAYOUTS[name]) ?? [0, 0];
  if (channels === 0 || raw.byteLength !== pixels * channels * bytes) {
    throw new KerfError('IMAGE_INVALID', 'the picture has a colour type that kerf does not read; save it as 8-bit RGB');
  }
  if (name === 'Rgb8') return raw;
  const data = rgbPixels(pixels);
  const pixelBytes = channels * bytes;
  for (let first = 0; first < pixels; first += SLICE_PIXELS) {
    if (first > 0) await setImmediate();
    const end = Math.min(first + SLICE_PIXELS, pixels);
    fillRgb(data.subarray(first * 3, end * 3), raw.subarray(first * pixelBytes, end * pixelBytes), channels, bytes);
  }
  return data;
}

function fillRgb(data: Uint8Array, raw: Uint8Array, channels: 1 | 2 | 3 | 4, bytes: 1 | 2): void {
  const pixelBytes = channels * bytes;
  const green = channels >= 3 ? bytes : 0;
  const blue = green * 2;
  const toAlpha = pixelBytes - bytes;
  const hasAlpha = channels === 2 || channels === 4;
  let from = bytes === 2 ? HIGH_BYTE : 0;
  for (let to = 0; to < data.length; to += 3, from += pixelBytes) {
    data[to] = raw[from] as number;
    data[to + 1] = raw[from + green] as number;
    data[to + 2] = raw[from + blue] as number;
    if (hasAlpha && raw[from + toAlpha] !== 255) darken(data, to, raw[from + toAlpha] as number);
  }
}

function darken(data: Uint8Array, pixel: number, alpha: number): void {
  for (let at = pixel; at < pixel + 3; at++) data[at] = Math.round(((data[at] as number) * alpha) / 255);
}
