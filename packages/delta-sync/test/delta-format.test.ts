// What devices that read only the first format of deltas are given.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type FormatVersion, REPOSITORY_PATHS } from '@kerf/delta-sync';
import type { PublishReport } from '@kerf/delta-sync/node';
import { seededRandom } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePublisher, type Publisher } from './support/publisher.ts';

const random = seededRandom(1);
const NUMBERS = Int32Array.from({ length: 6000 }, () => 2 ** 28 * (random() - 0.5));
let publisher: Publisher;

beforeAll(async () => {
  publisher = await makePublisher(['table']);
}, 60_000);

afterAll(() => publisher?.remove());

/** A table of numbers, all moved by so much; with a delta from the release before. */
async function publish(by: number, version: string, deltaFormat?: FormatVersion): Promise<PublishReport> {
  const moved = NUMBERS.map((value) => value + by);
  const place = await publisher.write('table.bin', new Uint8Array(moved.buffer));
  return await publisher.publish('table', version, place, 1, deltaFormat);
}

/** Of the deltas between two releases that the manifest lists. */
async function formatsIn({ manifest }: PublishReport): Promise<(number | undefined)[]> {
  const [file] = manifest.files;
  const bases = (file?.deltas ?? []).flatMap(({ base }) => (base === null ? [] : [base]));
  const place = (base: string): string =>
    path.join(publisher.repository, REPOSITORY_PATHS.delta(base, file?.sha256 ?? ''));
  return await Promise.all(bases.map(async (base) => (await readFile(place(base)))[7]));
}

test('deltas are of the first format where that is asked for; one of a newer format that is there is kept and not listed', async () => {
  await publish(0, '1');
  expect(await formatsIn(await publish(4321, '2', 1))).toEqual([1]);
  await publish(0, '3');
  expect(await formatsIn(await publish(77, '4'))).toEqual([2]);
  await publish(0, '5');
  expect(await formatsIn(await publish(77, '6', 1))).toEqual([]);
}, 60_000);
