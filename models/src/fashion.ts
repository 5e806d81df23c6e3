// The files of Fashion-MNIST -> PNG pictures in a folder for each class.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { readIdx } from './idx.ts';
import { encodePng } from './png.ts';

/** In the order of their numbers, which is that of the folders' names. */
const CLASSES = [
  '0-t-shirt',
  '1-trouser',
  '2-pullover',
  '3-dress',
  '4-coat',
  '5-sandal',
  '6-shirt',
  '7-sneaker',
  '8-bag',
  '9-ankle-boot',
] as const;

export interface FashionOptions {
  /** Files of the data set: idx3 and idx1, packed or not. */
  readonly images: string;
  readonly labels: string;
  readonly count: number;
  /** Pictures of the file to leave out first. @default 0 */
  readonly skip?: number;
}

/**
 * Writes `CLASS/00001.png` and on, named after their place in the file, and `labels.txt` with the classes.
 * @returns pictures written.
 * @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND, SAMPLES_UNUSABLE; before anything is written.
 */
export async function writeFashion(
  folder: string,
  { images, labels, count, skip = 0 }: FashionOptions,
): Promise<number> {
  const pictures = await readIdx(images, 3);
  const classes = await readIdx(labels, 1);
  const [total = 0, height = 0, width = 0] = pictures.dimensions;
  if (classes.dimensions[0] !== total) {
    throw new KerfError(
      'SAMPLES_UNUSABLE',
      `${total} pictures and ${classes.dimensions[0]} labels do not belong together`,
    );
  }
  if (!Number.isInteger(skip) || skip < 0 || !Number.isInteger(count) || count < 1 || skip + count > total) {
    throw new KerfError('INVALID_ARGUMENT', `there are ${total} pictures: skip ${skip}, count ${count} is impossible`);
  }
  const chosen = Array.from({ length: count }, (_, index) => skip + index);
  const wrong = chosen.find((index) => CLASSES[classes.data[index] as number] === undefined);
  if (wrong !== undefined) {
    throw new KerfError(
      'SAMPLES_UNUSABLE',
      `${labels}: label ${classes.data[wrong]} is none of ${CLASSES.length} classes`,
    );
  }
  for (const name of CLASSES) await mkdir(join(folder, name), { recursive: true });
  for (const index of chosen) {
    const grey = pictures.data.subarray(index * width * height, (index + 1) * width * height);
    const name = CLASSES[classes.data[index] as number] as string;
    await writeFile(join(folder, name, `${String(index + 1).padStart(5, '0')}.png`), encodePng(width, height, 1, grey));
  }
  await writeFile(join(folder, 'labels.txt'), CLASSES.map((name) => `${name}\n`).join(''));
  return count;
}
