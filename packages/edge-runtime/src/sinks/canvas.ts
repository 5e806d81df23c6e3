// An RGB picture that is drawn on: rectangles, tints and text, in whole pixels.
import type { RgbImage } from '@kerf/protocol';
import { rgbPixels } from '../capture/rgb-pixels.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphHas } from './glyphs.ts';

export type Colour = readonly [red: number, green: number, blue: number];

export class Canvas {
  readonly image: RgbImage;

  constructor(width: number, height: number) {
    this.image = { width, height, data: rgbPixels(width * height) };
  }

  /** Copies a whole picture of the same width to the given row. */
  paste({ data }: RgbImage, y: number): void {
    this.image.data.set(data, y * this.image.width * 3);
  }

  dot(x: number, y: number, [red, green, blue]: Colour): void {
    const { width, height, data } = this.image;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = (y * width + x) * 3;
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
  }

  fill(left: number, top: number, width: number, height: number, colour: Colour): void {
    const right = Math.min(left + width, this.image.width);
    const bottom = Math.min(top + height, this.image.height);
    for (let y = Math.max(0, top); y < bottom; y++) {
      for (let x = Math.max(0, left); x < right; x++) this.dot(x, y, colour);
    }
  }

  /** Mixes the colour in; `share` 1 hides what was there. */
  tint(x: number, y: number, colour: Colour, share: number): void {
    const { width, height, data } = this.image;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = (y * width + x) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const old = data[at + channel] as number;
      data[at + channel] = Math.round(old + ((colour[channel] as number) - old) * share);
    }
  }

  /** A frame whose outer edge is the rectangle. */
  frame(left: number, top: number, width: number, height: number, thickness: number, colour: Colour): void {
    this.fill(left, top, width, thickness, colour);
    this.fill(left, top + height - thickness, width, thickness, colour);
    this.fill(left, top, thickness, height, colour);
    this.fill(left + width - thickness, top, thickness, height, colour);
  }

  /** Dots of `scale` pixels, characters 6 dots apart. */
  text(text: string, left: number, top: number, scale: number, colour: Colour): void {
    Array.from(text).forEach((character, index) => {
      const start = left + index * (GLYPH_WIDTH + 1) * scale;
      if (start > this.image.width) return;
      for (let y = 0; y < GLYPH_HEIGHT; y++) {
        for (let x = 0; x < GLYPH_WIDTH; x++) {
          if (glyphHas(character, x, y)) this.fill(start + x * scale, top + y * scale, scale, scale, colour);
        }
      }
    });
  }
}

/** Pixels that a text of the scale is wide. */
export function textWidth(text: string, scale: number): number {
  return Array.from(text).length * (GLYPH_WIDTH + 1) * scale;
}
