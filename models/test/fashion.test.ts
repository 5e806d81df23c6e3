// Files of the format idx become class folders; what is no such file is told and nothing is written.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Transformer } from '@napi-rs/image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFashion } from '../src/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-fashion-'));
});
afterAll(() => rm(folder, { recursive: true }));

function idx(dimensions: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = 8;
  header[3] = dimensions.length;
  for (const [axis, dimension] of dimensions.entries()) header.writeUInt32BE(dimension, 4 + 4 * axis);
  return Buffer.concat([header, Buffer.from(values)]);
}

async function file(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

const PIXELS = Array.from({ length: 4 * 3 * 5 }, (_, at) => at * 4);

test('pictures lie in the folders of their classes, packed or not', async () => {
  const images = await file('images.gz', gzipSync(idx([4, 3, 5], PIXELS)));
  const labels = await file('labels', idx([4], [9, 0, 2, 0]));
  const out = join(folder, 'out');
  expect(await writeFashion(out, { images, labels, count: 3, skip: 1 })).toBe(3);
  expect((await readdir(out)).sort().slice(0, 3)).toEqual(['0-t-shirt', '1-trouser', '2-pullover']);
  expect((await readFile(join(out, 'labels.txt'), 'utf8')).split('\n').slice(0, 2)).toEqual(['0-t-shirt', '1-trouser']);
  expect((await readdir(join(out, '0-t-shirt'))).sort()).toEqual(['00002.png', '00004.png']);
  expect(await readdir(join(out, '9-ankle-boot'))).toEqual([]);
  const picture = new Transformer(await readFile(join(out, '2-pullover/00003.png')));
  expect(await picture.metadata()).toMatchObject({ width: 5, height: 3 });
  expect([...(await picture.rawPixels())]).toEqual(PIXELS.slice(30, 45));
});

describe('refuses', () => {
  const good = idx([4, 3, 5], PIXELS);
  const cases: [string, Uint8Array, Uint8Array, object, string][] = [
    ['a file cut short', good.subarray(0, -1), idx([4], [0, 0, 0, 0]), {}, 'declares 4 x 3 x 5 values and holds 59'],
    ['another rank', idx([4, 15], PIXELS), idx([4], [0, 0, 0, 0]), {}, 'is no idx file of bytes with 3 dimensions'],
    ['no idx', Buffer.from('<html></html>'), idx([4], [0, 0, 0, 0]), {}, 'is no idx file'],
    ['broken packing', gzipSync(good).subarray(0, 20), idx([4], [0, 0, 0, 0]), {}, 'is broken, cut short'],
    ['labels of another file', good, idx([3], [0, 0, 0]), {}, '4 pictures and 3 labels'],
    ['an unknown class', good, idx([4], [0, 0, 10, 0]), {}, 'label 10 is none of 10 classes'],
    ['more than there are', good, idx([4], [0, 0, 0, 0]), { skip: 2 }, 'there are 4 pictures: skip 2, count 4'],
    ['half a picture', good, idx([4], [0, 0, 0, 0]), { count: 0.5 }, 'is impossible'],
  ];
  test.each(cases)('%s', async (name, images, labels, options, message) => {
    const out = join(folder, `refused ${name}`);
    const files = { images: await file('bad-images', images), labels: await file('bad-labels', labels) };
    await expect(writeFashion(out, { ...files, count: 4, ...options })).rejects.toThrow(message);
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a missing file', async () => {
    const request = { images: join(folder, 'absent'), labels: join(folder, 'absent'), count: 1 };
    await expect(writeFashion(folder, request)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
