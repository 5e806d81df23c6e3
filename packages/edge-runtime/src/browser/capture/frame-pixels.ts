// A frame of a camera or a decoder -> its pixels as RGB.
import { KerfError, type RgbImage } from '@kerf/protocol';

export type Frame = VideoFrame | HTMLVideoElement;

let canvas: OffscreenCanvas | null = null;

/** @throws {KerfError} IMAGE_INVALID for a frame that no canvas takes. */
export function pixelsOf(frame: Frame): RgbImage {
  const width = 'displayWidth' in frame ? frame.displayWidth : frame.videoWidth;
  const height = 'displayHeight' in frame ? frame.displayHeight : frame.videoHeight;
  if (canvas === null || canvas.width !== width || canvas.height !== height)
    canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  if (context === null) throw new KerfError('IMAGE_INVALID', `a picture of ${width}x${height} pixels cannot be read`);
  context.drawImage(frame, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from] as number;
    rgb[to + 1] = data[from + 1] as number;
    rgb[to + 2] = data[from + 2] as number;
  }
  return { width, height, data: rgb };
}
