// A video shows what its list says, and its file is one that others read.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RgbImage } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { type VideoFrame, type VideoOptions, videoFrames, writeVideo } from '../src/index.ts';
import { y4mFrame, y4mHeader } from '../src/y4m.ts';

async function framesOf(options: VideoOptions): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  for await (const frame of videoFrames(options)) frames.push(frame);
  return frames;
}

/** Mean brightness of a square about a place. */
function brightness({ data, width }: RgbImage, x: number, y: number): number {
  let sum = 0;
  for (let row = y - 5; row < y + 5; row++) {
    for (let column = x - 5; column < x + 5; column++) sum += data[(row * width + column) * 3 + 1]!;
  }
  return sum / 100;
}

describe('a conveyor', () => {
  test('carries parts through the picture, one behind the other', async () => {
    const frames = await framesOf({ seconds: 5, framesPerSecond: 3 });
    expect(frames.map(({ frame, timeMs }) => [frame, timeMs])).toEqual(
      frames.map((_, at) => [at, Math.round((at * 1000) / 3)]),
    );
    for (const part of [0, 1]) {
      const seen = frames.flatMap(({ parts }) => parts.filter((other) => other.part === part));
      expect(new Set(seen.map(({ text, defect, y }) => `${text} ${defect} ${y}`)).size).toBe(1);
      const steps = seen.slice(1).map(({ x }, at) => x - seen[at]!.x);
      expect(steps.every((step) => Math.abs(step - 220 / 3) <= 1)).toBe(true);
      expect(seen.some(({ isWhole }) => isWhole)).toBe(true);
      expect(seen.filter(({ isWhole }) => isWhole).every(({ x }) => x > 110 && x < 274)).toBe(true);
    }
    // Nothing is there before the first part comes, and the ground reaches every edge.
    expect(frames[0]!.parts).toEqual([]);
    for (const { image } of frames) {
      for (const x of [5, 378]) expect(brightness(image, x, 5)).toBeGreaterThan(40);
    }
  });

  test('the box of a defect is where a video without it differs', async () => {
    const options = { seconds: 2, framesPerSecond: 3, kinds: ['stain'], seed: 4 } as const;
    const bad = await framesOf({ ...options, goodShare: 0 });
    const good = await framesOf({ ...options, goodShare: 1 });
    let checked = 0;
    for (const [at, { image, parts }] of bad.entries()) {
      const boxes = parts.flatMap(({ defectBox, defectPixels }) => {
        expect(defectPixels > 0).toBe(defectBox !== null);
        return defectBox ?? [];
      });
      const other = good[at]!.image.data;
      let inside = 0;
      for (const [index, value] of image.data.entries()) {
        if (Math.abs(value - other[index]!) <= 12) continue;
        const pixel = Math.floor(index / 3);
        const [x, y] = [pixel % 384, Math.floor(pixel / 384)];
        if (boxes.some(({ left, right, top, bottom }) => x >= left && x < right && y >= top && y < bottom)) inside++;
        else expect.unreachable(`frame ${at} differs at ${x}, ${y}, outside of every box`);
      }
      if (boxes.length > 0) expect(inside).toBeGreaterThan(0);
      checked += boxes.length;
    }
    expect(checked).toBeGreaterThan(1);
    expect(
      good.flatMap(({ parts }) => parts).every(({ defect, defectBox }) => defect === null && defectBox === null),
    ).toBe(true);
  });
});

test('in a fixture parts come and go in one place, and the camera keeps its noise', async () => {
  const frames = await framesOf({ station: 'fixture', seconds: 4, framesPerSecond: 10, goodShare: 0.5 });
  const parts = frames.map((frame) => frame.parts[0]?.part ?? null);
  expect(parts.slice(0, 12)).toEqual(Array(12).fill(0));
  expect(parts.slice(12, 15)).toEqual([null, null, null]);
  expect(parts.slice(15, 27)).toEqual(Array(12).fill(1));
  const places = frames.flatMap((frame) => frame.parts.map(({ x, y }) => [x, y] as const));
  for (const axis of [0, 1] as const) {
    const values = places.map((place) => place[axis]);
    expect(Math.max(...values) - Math.min(...values)).toBeLessThan(6);
  }
  expect(Buffer.compare(frames[0]!.image.data, frames[1]!.image.data)).not.toBe(0);
});

describe('the file', () => {
  test('is the same for the same seed, holds every frame, and is listed line by line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-video-'));
    try {
      const options = { seconds: 2, framesPerSecond: 2, station: 'fixture' } as const;
      const hashes = [];
      for (const name of ['one', 'other']) {
        const path = join(folder, `new/${name}.y4m`);
        expect(await writeVideo(path, options)).toEqual({ frames: 4, parts: 2 });
        const bytes = await readFile(path);
        const header = 'YUV4MPEG2 W384 H384 F2:1 Ip A1:1 C420jpeg\n';
        expect(bytes.subarray(0, header.length).toString('latin1')).toBe(header);
        expect(bytes.byteLength).toBe(header.length + 4 * (6 + 384 * 384 * 1.5));
        hashes.push(createHash('sha256').update(bytes).digest('hex'));
      }
      expect(hashes[0]).toBe(hashes[1]);
      const lines = (await readFile(join(folder, 'new/one.jsonl'), 'utf8')).trimEnd().split('\n');
      const frames = await framesOf(options);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
        frames.map(({ frame, timeMs, parts }) => ({ frame, timeMs, parts })),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('has the colours of BT.601 in studio range', () => {
    const colours = [
      [255, 255, 255, 235, 128, 128],
      [0, 0, 0, 16, 128, 128],
      [255, 0, 0, 82, 90, 240],
      [0, 255, 0, 144, 54, 34],
      [0, 0, 255, 41, 240, 110],
    ] as const;
    for (const [red, green, blue, y, cb, cr] of colours) {
      const data = new Uint8Array(Array.from({ length: 8 }, () => [red, green, blue]).flat());
      const frame = y4mFrame({ width: 4, height: 2, data });
      expect(Buffer.from(frame.subarray(0, 6)).toString('latin1')).toBe('FRAME\n');
      const values = [...frame.subarray(6)];
      const expected = [...Array<number>(8).fill(y), cb, cb, cr, cr];
      for (const [at, value] of values.entries()) expect(Math.abs(value - expected[at]!)).toBeLessThanOrEqual(1);
      expect(values).toHaveLength(12);
    }
    expect(() => y4mHeader(5, 4, 10)).toThrow('sides must be even');
  });

  test.each([
    [{ seconds: 0 }, 'seconds must be a whole number from 1 to 600, got 0'],
    [{ seconds: 601 }, 'got 601'],
    [{ seconds: 1, framesPerSecond: 61 }, 'frames per second must be a whole number from 1 to 60, got 61'],
    [{ seconds: 1, station: 'shelf' as 'fixture' }, "station must be one of conveyor, fixture, got 'shelf'"],
    [{ seconds: 1, goodShare: 2 }, 'must be from 0 to 1'],
  ])('refuses %j before it writes', async (options, message) => {
    const path = join(tmpdir(), 'kerf-no-video.y4m');
    await expect(writeVideo(path, options)).rejects.toThrow(message);
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('refuses a name that says something else', async () => {
    await expect(writeVideo('video.mp4', { seconds: 1 })).rejects.toThrow('must end in .y4m');
  });
});
