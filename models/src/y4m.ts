// RGB frames -> an uncompressed YUV4MPEG2 video, 4:2:0, which players, encoders and a browser's fake camera read.
import { KerfError, type RgbImage } from '@kerf/protocol';

/** @param width, height even. @throws {KerfError} INVALID_ARGUMENT. */
export function y4mHeader(width: number, height: number, framesPerSecond: number): Uint8Array {
  if (width % 2 !== 0 || height % 2 !== 0) {
    throw new KerfError('INVALID_ARGUMENT', `a video of ${width}x${height} is impossible; sides must be even`);
  }
  return Buffer.from(`YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420jpeg\n`, 'latin1');
}

/** One frame: a line 'FRAME', then the planes Y, U and V. ITU-R BT.601, studio range, chroma as the mean of four pixels. */
export function y4mFrame({ width, height, data }: RgbImage): Uint8Array {
  const area = width * height;
  const mark = Buffer.from('FRAME\n', 'latin1');
  const frame = new Uint8Array(mark.byteLength + area * 1.5);
  frame.set(mark);
  const luma = frame.subarray(mark.byteLength);
  for (let at = 0; at < area; at++) {
    const [red, green, blue] = [data[at * 3], data[at * 3 + 1], data[at * 3 + 2]] as [number, number, number];
    luma[at] = 16 + ((66 * red + 129 * green + 25 * blue + 128) >> 8);
  }
  const blueness = luma.subarray(area);
  const redness = luma.subarray(area * 1.25);
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const sum = (channel: number): number => {
        const above = (y * width + x) * 3 + channel;
        const below = above + width * 3;
        return (
          (data[above] as number) + (data[above + 3] as number) + (data[below] as number) + (data[below + 3] as number)
        );
      };
      const [red, green, blue] = [sum(0), sum(1), sum(2)];
      const to = (y >> 1) * (width >> 1) + (x >> 1);
      blueness[to] = 128 + ((-38 * red - 74 * green + 112 * blue + 512) >> 10);
      redness[to] = 128 + ((112 * red - 94 * green - 18 * blue + 512) >> 10);
    }
  }
  return frame;
}
