// Pictures: what is coded comes back, sizes and orders are right, broken files are refused.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkWholeImage, type RgbImage } from '@kerf/protocol';
import { JsColorType, Transformer } from '@napi-rs/image';
import { describe, expect, it } from 'vitest';
import {
  decodePicture,
  encodeJpeg,
  encodePng,
  encodeWebp,
  readPicture,
  resizePicture,
} from '../src/node/picture/picture-file.ts';
import { toRgb } from '../src/node/picture/to-rgb.ts';
import { crop } from '../src/station/fit-picture.ts';

const label = new URL('../../../demo/label.jpg', import.meta.url);

/** Smooth colours, so that lossy codecs stay close. */
function gradient(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set([(x * 255) / width, (y * 255) / height, 128], (y * width + x) * 3);
    }
  }
  return { width, height, data };
}

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.byteLength).toBe(b.byteLength);
  let largest = 0;
  for (let at = 0; at < a.byteLength; at++) largest = Math.max(largest, Math.abs(a[at]! - b[at]!));
  return largest;
}

describe('a picture too large', () => {
  it.each([
    ['png', '89504e470d0a1a0a0000000d49484452', '00004e2000004e20'],
    ['webp', '52494646ffff000057454250565038580a00000000000000', '1f4e001f4e00'],
  ])('is refused by the header of its %s, without any pixels', async (_format, start, size) => {
    const bytes = Buffer.concat([Buffer.from(start + size, 'hex'), Buffer.alloc(32)]);
    await expect(decodePicture(bytes)).rejects.toThrow(/is 20000x20000; the limit is/);
  });
});

describe('a picture that was cut off', () => {
  it.each([
    ['png', encodePng],
    ['jpeg', (image: RgbImage) => encodeJpeg(image)],
    ['webp', encodeWebp],
  ])('is refused, however little of its %s is missing', async (format, encode) => {
    const whole = await encode(gradient(64, 48));
    await decodePicture(whole);
    await decodePicture(Buffer.concat([whole, Buffer.from('what a camera adds \xff\xda', 'latin1')]));
    for (const missing of [1, 2, 10, Math.floor(whole.byteLength / 3)]) {
      const attempt = decodePicture(whole.subarray(0, whole.byteLength - missing));
      await expect(attempt, `${missing} bytes`).rejects.toThrow(`the ${format} picture ends early`);
    }
  });

  it('is not mistaken for whole by a thumbnail inside, and one of several scans is not', () => {
    const segment = (marker: number, ...data: number[]): number[] => [0xff, marker, 0, data.length + 2, ...data];
    const scan = [...segment(0xda, 1), 0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];
    const file = [0xff, 0xd8, ...segment(0xe1, 0xff, 0xd8, 0xff, 0xd9), ...scan, ...segment(0xc4, 9), ...scan];
    expect(() => checkWholeImage(Uint8Array.from(file))).toThrow(/the jpeg picture ends early/);
    checkWholeImage(Uint8Array.from([...file, 0xff, 0xff, 0xd9]));
  });
});

describe('coding', () => {
  it('gives the same bytes for pixels that have room for a header and for those that have not', async () => {
    const roomy = crop(gradient(200, 60), { x: 3, y: 5, width: 97, height: 31 });
    const plain = { ...roomy, data: roomy.data.slice() };
    expect(roomy.data.byteOffset).toBeGreaterThan(plain.data.byteOffset);
    for (const code of [
      encodePng,
      encodeWebp,
      (image: RgbImage) => resizePicture(image, 31, 9).then(({ data }) => data),
    ]) {
      const twice = [await code(roomy), await code(roomy)];
      expect(twice).toEqual([await code(plain), await code(plain)]);
    }
    expect(roomy.data).toEqual(plain.data);
  });

  it('PNG comes back equal', async () => {
    const image = gradient(97, 31);
    expect(await decodePicture(await encodePng(image))).toEqual({ ...image, data: Buffer.from(image.data) });
  });

  it.each([
    ['JPEG', encodeJpeg],
    ['WebP', encodeWebp],
  ])('%s comes back close, closer at a higher quality', async (_name, encode) => {
    const image = gradient(96, 64);
    const differences = [];
    for (const quality of [30, 90]) {
      const back = await decodePicture(await encode(image, quality));
      expect([back.width, back.height]).toEqual([96, 64]);
      differences.push(largestDifference(back.data, image.data));
    }
    expect(differences[1]).toBeGreaterThan(0);
    expect(differences[1]).toBeLessThan(12);
    expect(differences[0]).toBeGreaterThan(differences[1]!);
  });

  it('refuses pixels that do not fit the size', () => {
    expect(() => encodePng({ width: 4, height: 4, data: new Uint8Array(47) })).toThrow('needs 48 bytes, got 47');
  });
});

describe('reading', () => {
  it('reads the label of the demo', async () => {
    const image = await readPicture(label.pathname);
    expect([image.width, image.height, image.data.byteLength]).toEqual([1280, 960, 1280 * 960 * 3]);
    expect(readFileSync(label).byteLength).toBeLessThan(400_000);
  });

  it('shows black where a picture is transparent', async () => {
    const png = await Transformer.fromRgbaPixels(new Uint8Array([200, 100, 50, 255, 200, 100, 50, 0]), 2, 1).png();
    expect([...(await decodePicture(png)).data]).toEqual([200, 100, 50, 0, 0, 0]);
  });

  it('makes grey three channels', async () => {
    const grey = await new Transformer(await encodePng(gradient(8, 8))).grayscale().png();
    const { data } = await decodePicture(grey);
    expect(data.byteLength).toBe(192);
    for (let at = 0; at < 192; at += 3) expect([data[at + 1], data[at + 2]]).toEqual([data[at], data[at]]);
  });

  it('lets other work of its thread go on while a large picture becomes RGB', async () => {
    const [width, height] = [1920, 1080];
    const raw = new Uint8Array(width * height * 6).map((_, at) => (at * 31) >> 4);
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const data = await toRgb(raw, JsColorType.Rgb16, width * height);
    isDone = true;
    expect(turns).toBeGreaterThan(8);
    for (const pixel of [0, 1_000_000, width * height - 1]) {
      const samples = new DataView(raw.buffer, pixel * 6, 6);
      expect([...data.subarray(pixel * 3, pixel * 3 + 3)]).toEqual(
        [0, 2, 4].map((at) => samples.getUint16(at, endianness() === 'LE') >>> 8),
      );
    }
  });

  it('keeps the high byte of 16-bit samples', async () => {
    // Two pixels of 16-bit RGB, through a PPM of depth 65535.
    const samples = Buffer.from([0x12, 0xff, 0x80, 0x00, 0xff, 0xff, 0x00, 0x10, 0x01, 0x00, 0xfe, 0x00]);
    const png = await new Transformer(Buffer.concat([Buffer.from('P6 2 1 65535\n'), samples])).png();
    expect([...(await decodePicture(png)).data]).toEqual([0x12, 0x80, 0xff, 0x00, 0x01, 0xfe]);
  });

  it.each([
    [1, [2, 1], 'left'],
    [3, [2, 1], 'right'],
    [6, [1, 2], 'top'],
    [8, [1, 2], 'bottom'],
    // None of EXIF's: cameras write them all the same.
    [0, [2, 1], 'left'],
    [9, [2, 1], 'left'],
    [65535, [2, 1], 'left'],
  ])('applies EXIF orientation %i', async (orientation, [across, down], redAt) => {
    // 32x16, left half red, right half blue.
    const image = gradient(32, 16);
    for (let at = 0; at < image.data.byteLength; at += 3) {
      image.data.set((at / 3) % 32 < 16 ? [255, 0, 0] : [0, 0, 255], at);
    }
    const turned = await decodePicture(withOrientation(await encodeJpeg(image), orientation));
    expect([turned.width, turned.height]).toEqual([across! * 16, down! * 16]);
    const { width, height, data } = turned;
    const red = (x: number, y: number) => data[(y * width + x) * 3]! > 128;
    const corners = {
      left: [red(0, 8), red(width - 1, 8)],
      right: [red(width - 1, 8), red(0, 8)],
      top: [red(8, 0), red(8, height - 1)],
      bottom: [red(8, height - 1), red(8, 0)],
    };
    expect(corners[redAt as keyof typeof corners]).toEqual([true, false]);
  });

  it('refuses what is missing, broken, cut short or of another kind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-picture-'));
    try {
      const png = Buffer.from(await encodePng(gradient(40, 40)));
      const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
      const files = { text: Buffer.from('not a picture'), empty: Buffer.alloc(0), short: png.subarray(0, 80), gif };
      for (const [name, bytes] of Object.entries(files)) {
        await writeFile(join(folder, name), bytes);
        await expect(readPicture(join(folder, name)), name).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
      }
      await expect(readPicture(join(folder, 'absent.png'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
      await expect(readPicture(folder)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a huge declared size before it decodes', async () => {
    const png = Buffer.from(await encodePng(gradient(8, 8)));
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    const startMs = performance.now();
    await expect(decodePicture(png)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});

describe('resizing and cropping', () => {
  it('shrinks by means, not by picking pixels', async () => {
    const image: RgbImage = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) };
    // A fine chessboard of 0 and 255 has the mean 127.5; picking pixels would give 0 or 255.
    for (let at = 0; at < 64 * 64; at++) {
      if (((at % 64) + Math.floor(at / 64)) % 2 === 0) image.data.fill(255, at * 3, at * 3 + 3);
    }
    const { data } = await resizePicture(image, 16, 16);
    expect(data.byteLength).toBe(16 * 16 * 3);
    expect(Math.min(...data)).toBeGreaterThan(110);
    expect(Math.max(...data)).toBeLessThan(145);
  });

  it('stretches to the size asked for, and leaves the right size alone', async () => {
    const image = gradient(50, 20);
    const wide = await resizePicture(image, 100, 10);
    expect([wide.width, wide.height, wide.data.byteLength]).toEqual([100, 10, 3_000]);
    expect(await resizePicture(image, 50, 20)).toBe(image);
    await expect(resizePicture(image, 0, 20)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(resizePicture(image, 100_000, 100_000)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('cuts out the rectangle and nothing else', () => {
    const image: RgbImage = { width: 4, height: 3, data: Uint8Array.from({ length: 36 }, (_, index) => index) };
    const cut = crop(image, { x: 1, y: 1, width: 2, height: 2 });
    expect([...cut.data]).toEqual([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]);
    expect(() => crop(image, { x: 3, y: 0, width: 2, height: 1 })).toThrow(
      expect.objectContaining({ code: 'IMAGE_INVALID' }) as Error,
    );
  });
});

/** Puts an EXIF block with one entry, the orientation, behind the first marker of a JPEG. */
function withOrientation(jpeg: Uint8Array, orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.byteLength + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, body, jpeg.subarray(2)]);
}
