// Space for the RGB pixels of a picture, with room for a header before them: a PPM file without a copy of its pixels.
import type { RgbImage } from '@kerf/protocol';

/** More than `P6 67108864 67108864 255` needs; filled up with blanks, of which PPM takes any number. */
const HEADER_BYTES = 32;

/** By its pixels: the file that they are the end of. */
const files = new WeakMap<Uint8Array, Uint8Array>();

/** Black. */
export function rgbPixels(count: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(HEADER_BYTES + count * 3);
  const data = file.subarray(HEADER_BYTES);
  files.set(data, file);
  return data;
}

/** Pixels that did not come from {@link rgbPixels} are copied. */
export function ppmFile({ width, height, data }: RgbImage): Uint8Array {
  const ending = ' 255\n';
  const header = `P6 ${width} ${height}`.padEnd(HEADER_BYTES - ending.length) + ending;
  const room = files.get(data);
  const file = room ?? new Uint8Array(HEADER_BYTES + data.byteLength);
  new TextEncoder().encodeInto(header, file);
  if (room === undefined) file.set(data, HEADER_BYTES);
  return file;
}

/** A copy with room of its own, whose whole memory can go to another thread. */
export function copyOfPixels({ width, height, data }: RgbImage): RgbImage & { readonly data: Uint8Array<ArrayBuffer> } {
  const copy = rgbPixels(width * height);
  copy.set(data);
  return { width, height, data: copy };
}

/** Room that came with pixels from another thread, as {@link copyOfPixels} made them. */
export function adoptPixels({ data }: RgbImage): void {
  files.set(data, new Uint8Array(data.buffer));
}
