// Sticks with releases on them, found where systems put sticks.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryDrives } from '../src/update/drives.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-drives-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function repository(path: string): Promise<string> {
  const place = join(folder, path);
  await mkdir(join(place, 'metadata'), { recursive: true });
  await writeFile(join(place, 'metadata/timestamp.json'), '{}');
  return place;
}

test('a stick, a user’s stick and a folder on one; others, hidden ones and what lies deeper are passed over', async () => {
  const found = [
    await repository('media/STICK'),
    await repository('media/ann/STICK-2'),
    await repository('media/ann/BACKUP/releases'),
  ];
  await repository('media/.Trash/old');
  await repository('media/ann/BACKUP/2026/releases');
  await mkdir(join(folder, 'media/ann/MUSIC'), { recursive: true });
  await writeFile(join(folder, 'media/readme.txt'), 'no drive');
  expect(await repositoryDrives([join(folder, 'media'), join(folder, 'nowhere')])).toEqual(found.toSorted());
});

test('without any there is none', async () => {
  expect(await repositoryDrives([folder])).toEqual([]);
  expect(await repositoryDrives([])).toEqual([]);
});
