// Streams cut into any pieces, their colours, and what is no stream.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { rgbOfYuv, type Y4mFormat, Y4mReader } from '../../src/capture/y4m.ts';

function streamOf(header: string, ...frames: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [new TextEncoder().encode(`${header}\n`)];
  for (const frame of frames) parts.push(new TextEncoder().encode('FRAME\n'), frame);
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function read(...chunks: Uint8Array[]): { frames: Uint8Array[]; format: Y4mFormat | null; whole: boolean } {
  const frames: Uint8Array[] = [];
  let format: Y4mFormat | null = null;
  const reader = new Y4mReader((yuv, said) => {
    frames.push(yuv);
    format = said;
  });
  for (const chunk of chunks) reader.read(chunk);
  return { frames, format, whole: reader.isBetweenFrames };
}

const HEADER = 'YUV4MPEG2 W4 H2 F30:1 Ip A1:1 C420jpeg';
const frame = (seed: number, length = 12): Uint8Array => {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random() * 256);
};

describe('y4m', () => {
  test('frames come whole, however the stream is cut', () => {
    const stream = streamOf(HEADER, frame(1), frame(2), frame(3));
    for (let size = 1; size <= stream.byteLength; size++) {
      const chunks = Array.from({ length: Math.ceil(stream.byteLength / size) }, (_, at) =>
        stream.subarray(at * size, (at + 1) * size),
      );
      const { frames, whole } = read(...chunks);
      expect(frames).toEqual([frame(1), frame(2), frame(3)]);
      expect(whole).toBe(true);
    }
  });

  test('a stream that was cut off says so', () => {
    const stream = streamOf(HEADER, frame(1), frame(2));
    const { frames, whole } = read(stream.subarray(0, stream.byteLength - 1));
    expect(frames).toHaveLength(1);
    expect(whole).toBe(false);
  });

  test.each([
    ['C420', 4 * 3 + 2 * (2 * 2)],
    ['C422', 4 * 3 + 2 * (2 * 3)],
    ['C444', 4 * 3 + 2 * (4 * 3)],
    ['Cmono', 4 * 3],
  ])('%s has frames of %i bytes', (chroma, bytes) => {
    expect(read(streamOf(`YUV4MPEG2 W4 H3 F25:1 ${chroma}`, frame(1, bytes))).frames).toHaveLength(1);
  });

  test('colours are those of BT.601', () => {
    const format: Y4mFormat = {
      width: 1,
      height: 1,
      framesPerSecond: null,
      chroma: { x: 1, y: 1 },
      isFullRange: false,
    };
    const rgb = (...yuv: number[]): number[] => [...rgbOfYuv(Uint8Array.from(yuv), format).data];
    // The standard's own bars: black, white, and red, green, blue at full strength.
    expect(rgb(16, 128, 128)).toEqual([0, 0, 0]);
    expect(rgb(235, 128, 128)).toEqual([255, 255, 255]);
    const near = (actual: number[], wanted: number[]): void =>
      actual.forEach((value, at) => expect(Math.abs(value - wanted[at]!)).toBeLessThanOrEqual(2));
    near(rgb(81, 90, 240), [255, 0, 0]);
    near(rgb(145, 54, 34), [0, 255, 0]);
    near(rgb(41, 240, 110), [0, 0, 255]);
    const full = { ...format, isFullRange: true };
    expect([...rgbOfYuv(Uint8Array.of(255, 128, 128), full).data]).toEqual([255, 255, 255]);
    expect([...rgbOfYuv(Uint8Array.of(7), { ...full, chroma: null }).data]).toEqual([7, 7, 7]);
  });

  test('odd sizes have chroma samples for their edges', () => {
    const { frames, format } = read(streamOf('YUV4MPEG2 W3 H3 F1:1 C420', frame(1, 9 + 2 * 4)));
    expect(rgbOfYuv(frames[0]!, format!).data).toHaveLength(27);
  });

  test.each([
    ['RIFF....AVI ', 'YUV4MPEG2'],
    ['YUV4MPEG2 W0 H2', 'no size'],
    ['YUV4MPEG2 W99999 H99999', 'pixels'],
    ['YUV4MPEG2 W4 H2 C420p10', '8 bits'],
    [`YUV4MPEG2 ${'X'.repeat(2000)}`, 'no end'],
  ])('refuses %s', (header, why) => {
    expect(() => read(streamOf(header))).toThrow(why);
  });

  test('refuses a stream that lost its step', () => {
    expect(() => read(streamOf(HEADER, frame(1, 13), frame(2)))).toThrow('does not begin');
  });
});
