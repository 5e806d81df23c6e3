// Text lines are what their seed says, and their labels say what stands there.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transformer } from '@napi-rs/image';
import { describe, expect, test } from 'vitest';
import { GreyMap } from '../src/draw.ts';
import { CHARACTERS, strokeText } from '../src/glyphs.ts';
import { type DrawnLine, LINE_HEIGHT, textLines, writeLines } from '../src/index.ts';

async function drawn(options: Parameters<typeof textLines>[0]): Promise<DrawnLine[]> {
  const lines: DrawnLine[] = [];
  for await (const line of textLines(options)) lines.push(line);
  return lines;
}

test('the same seed gives the same bytes, now and in every later version', async () => {
  const hash = createHash('sha256');
  for (const { image, text } of await drawn({ split: 'test', count: 20 })) hash.update(image.data).update(text);
  expect(hash.digest('hex')).toBe('67bc373a593118405a0907b8f84b8fb7e8af30fcdf6bef317f7767ae500797f8');
});

test('every text has only characters that can be drawn, and is as wide as its picture', async () => {
  const lines = await drawn({ split: 'train', count: 60, width: 200 });
  for (const { text, image } of lines) {
    expect(Array.from(text).filter((character) => !CHARACTERS.includes(character))).toEqual([]);
    expect(text.length).toBeGreaterThanOrEqual(8);
    expect([image.width, image.height, image.data.byteLength]).toEqual([200, LINE_HEIGHT, 200 * LINE_HEIGHT * 3]);
  }
  expect(new Set(lines.map(({ text }) => text)).size).toBeGreaterThan(55);
});

test('no two characters have the same strokes, and all but the space leave ink', () => {
  const drawnBy = CHARACTERS.map((character) => {
    const ink = new GreyMap(0, 0, 60, 60);
    strokeText(ink, character, { x: 10, y: 10 }, 6, 2);
    return ink.values;
  });
  for (const [at, one] of drawnBy.entries()) {
    expect(
      one.some((value) => value > 0.5),
      CHARACTERS[at],
    ).toBe(CHARACTERS[at] !== ' ');
    for (const [beside, other] of drawnBy.slice(0, at).entries()) {
      const apart = one.reduce((sum, value, pixel) => sum + Math.abs(value - other[pixel]!), 0);
      expect(apart, `${CHARACTERS[at]} and ${CHARACTERS[beside]}`).toBeGreaterThan(12);
    }
  }
});

describe('a folder of lines', () => {
  test('has a label for every picture', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-lines-'));
    try {
      expect(await writeLines(folder, { split: 'demo', count: 5, seed: 2 })).toBe(5);
      const lines = await drawn({ split: 'demo', count: 5, seed: 2 });
      const labels = (await readFile(join(folder, 'labels.tsv'), 'utf8')).trimEnd().split('\n');
      expect(labels).toEqual(lines.map(({ text }, index) => `000${index + 1}.png\t${text}`));
      for (const [index, { image }] of lines.entries()) {
        const pixels = await new Transformer(await readFile(join(folder, `000${index + 1}.png`))).rawPixels();
        expect(Buffer.compare(pixels, image.data)).toBe(0);
      }
      expect((await readdir(folder)).length).toBe(6);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([[159], [2049], [320.5]])('refuses a width of %d', async (width) => {
    await expect(writeLines(join(tmpdir(), 'kerf-no-lines'), { split: 'test', count: 1, width })).rejects.toThrow(
      `width must be a whole number from 160 to 2048, got ${width}`,
    );
  });
});
