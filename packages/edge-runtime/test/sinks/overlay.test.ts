// What is drawn is where it belongs, and verdicts differ by more than their colour.
import { drawOverlay, type Verdict } from '@kerf/edge-runtime';
import type { RgbImage } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { recordOf } from '../../../../test/conformance/sink-records.ts';

const GREY: RgbImage = { width: 300, height: 200, data: new Uint8Array(300 * 200 * 3).fill(128) };
const VERDICTS: readonly Verdict[] = ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'];

function at({ width, data }: RgbImage, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

/** Brightness alone, in two steps: what somebody sees who sees no colours, or a printer that has none. */
function shapeOf(image: RgbImage, height: number): string {
  const luma = Array.from({ length: image.width * height }, (_, pixel) => {
    const [red, green, blue] = at(image, pixel % image.width, Math.floor(pixel / image.width));
    return 0.3 * red! + 0.59 * green! + 0.11 * blue!;
  });
  const background = luma[image.width - 1]!;
  return luma.map((value) => (Math.abs(value - background) > 60 ? '#' : '.')).join('');
}

describe('overlay', () => {
  test('the picture below the strip is untouched where nothing was found', () => {
    const image = drawOverlay(GREY, recordOf(1));
    const strip = image.height - GREY.height;
    expect(strip).toBeGreaterThan(0);
    expect(image.data.subarray(strip * 300 * 3).every((value) => value === 128)).toBe(true);
    expect(image.data).toHaveLength((strip + 200) * 300 * 3);
  });

  test('every verdict has its own shape, without its word and in grey', () => {
    const shapes = VERDICTS.map((verdict) => {
      const image = drawOverlay(GREY, recordOf(1, { verdict, partId: null, score: null }));
      const strip = image.height - GREY.height;
      // Only the square with the mark.
      const mark = { width: strip, height: strip, data: new Uint8Array(strip * strip * 3) };
      for (let y = 0; y < strip; y++) {
        mark.data.set(image.data.subarray(y * 300 * 3, (y * 300 + strip) * 3), y * strip * 3);
      }
      return shapeOf(mark, strip);
    });
    expect(new Set(shapes).size).toBe(VERDICTS.length);
    for (const shape of shapes) expect(shape).toContain('#');
  });

  test('words are readable: each verdict draws its own', () => {
    const words = VERDICTS.map((verdict) => shapeOf(drawOverlay(GREY, recordOf(1, { verdict })), 11));
    expect(new Set(words).size).toBe(VERDICTS.length);
  });

  test('the mask is tinted where it is set, with an edge', () => {
    // A grid of 3 by 2: only the middle of the lower row.
    const mask = { width: 3, height: 2, runs: [0, 4, 1, 1, 0, 1] };
    const image = drawOverlay(GREY, recordOf(1, { mask }));
    const strip = image.height - GREY.height;
    expect(at(image, 150, strip + 150)).not.toEqual([128, 128, 128]);
    expect(at(image, 100, strip + 150)).toEqual([255, 0, 220]);
    expect(at(image, 50, strip + 150)).toEqual([128, 128, 128]);
    expect(at(image, 150, strip + 50)).toEqual([128, 128, 128]);
  });

  test('the mask of a part of the picture lies over that part', () => {
    const area = { x: 200, y: 100, width: 90, height: 80 };
    const image = drawOverlay(GREY, recordOf(1, { mask: { width: 3, height: 2, runs: [0, 4, 1, 1, 0, 1], area } }));
    const strip = image.height - GREY.height;
    const isTinted = (x: number, y: number): boolean => at(image, x, strip + y).join() !== '128,128,128';
    const tinted = Array.from(
      { length: 300 * 200 },
      (_, pixel) => [pixel % 300, Math.floor(pixel / 300)] as const,
    ).filter(([x, y]) => isTinted(x, y));
    const [xs, ys] = [tinted.map(([x]) => x), tinted.map(([, y]) => y)];
    expect([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]).toEqual([230, 259, 140, 179]);
  });

  test('boxes are framed and labelled, also when they leave the picture', () => {
    const boxes = [
      { x: 50, y: 60, width: 40, height: 30, label: 'scratch', score: 0.9 },
      { x: -20, y: 190, width: 4000, height: 100, label: '划痕', score: 0.5 },
    ];
    const image = drawOverlay(GREY, recordOf(1, { boxes }));
    const strip = image.height - GREY.height;
    expect(at(image, 50, strip + 75)).toEqual([255, 0, 220]);
    expect(at(image, 70, strip + 75)).toEqual([128, 128, 128]);
    expect(at(image, 89, strip + 75)).toEqual([255, 0, 220]);
  });

  test('a mask whose runs do not fill its grid is not drawn', () => {
    for (const runs of [[1, 5], [1, 7], [1, -1, 1, 7], [1]]) {
      const image = drawOverlay(GREY, recordOf(1, { mask: { width: 3, height: 2, runs } }));
      expect(at(image, 150, image.height - 10)).toEqual([128, 128, 128]);
    }
  });

  test('a picture of one pixel is drawn without harm', () => {
    const tiny = { width: 1, height: 1, data: new Uint8Array([1, 2, 3]) };
    const image = drawOverlay(tiny, recordOf(1, { mask: { width: 1, height: 1, runs: [1, 1] } }));
    expect(image.width).toBe(1);
  });
});
