// A split and a count -> pictures of text lines in a folder, and the list of what stands on them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { encodePng } from './png.ts';
import { type SetOptions, seedsOf } from './splits.ts';
import { loadTextures } from './surface.ts';
import { LINE_HEIGHT, renderTextLine, type TextLine } from './text-line.ts';

export interface LinesOptions extends SetOptions {
  /** Of every picture, pixels: 160 to 2048. @default 320 */
  readonly width?: number;
}

/** One line of a set. */
export interface DrawnLine extends TextLine {
  readonly seed: number;
}

/**
 * The lines of a set, one after the other.
 * @throws {KerfError} INVALID_ARGUMENT.
 */
export async function* textLines(options: LinesOptions): AsyncGenerator<DrawnLine> {
  const { width = 320 } = options;
  if (!Number.isInteger(width) || width < 160 || width > 2048) {
    throw new KerfError('INVALID_ARGUMENT', `width must be a whole number from 160 to 2048, got ${width}`);
  }
  const seeds = seedsOf(options);
  const textures = await loadTextures();
  for (const seed of seeds) yield { seed, ...renderTextLine(textures, seed, width) };
}

/**
 * Writes a set: `0001.png` and on, and `labels.tsv` with a line `FILE TAB TEXT` for each.
 * @throws {KerfError} INVALID_ARGUMENT.
 */
export async function writeLines(folder: string, options: LinesOptions): Promise<number> {
  const labels: string[] = [];
  for await (const { image, text } of textLines(options)) {
    const name = `${String(labels.length + 1).padStart(4, '0')}.png`;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), encodePng(image.width, LINE_HEIGHT, 3, image.data));
    labels.push(`${name}\t${text}\n`);
  }
  await writeFile(join(folder, 'labels.tsv'), labels.join(''));
  return labels.length;
}
