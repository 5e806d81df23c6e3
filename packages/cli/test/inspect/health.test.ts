// What the Inspector shows of a machine: its hottest zone where it has any, and nothing made up where it has none.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { healthView } from '../../src/inspect/health.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-health-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function zone(name: string, text: string): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'temp'), text);
}

const degrees = async (): Promise<number | null> => (await healthView(folder, 'cpu', folder)).temperatureCelsius;

test('the temperature of the hottest zone, in degrees', async () => {
  await zone('thermal_zone0', '48200\n');
  await zone('thermal_zone1', '61500\n');
  await zone('cooling_device0', '99000\n');
  expect(await degrees()).toBe(61.5);
});

test('a zone that cannot be read, or says nothing, is none', async () => {
  await mkdir(join(folder, 'thermal_zone0'));
  await zone('thermal_zone1', '');
  await zone('thermal_zone2', '-40000\n');
  expect(await degrees()).toBeNull();
  expect((await healthView(folder, 'cpu', join(folder, 'nowhere'))).temperatureCelsius).toBeNull();
});

test('the disk is the one of the folder; of a folder that there is not nothing is known', async () => {
  const { disk } = await healthView(folder, null, folder);
  expect(disk?.freeBytes).toBeGreaterThan(0);
  expect(disk?.totalBytes).toBeGreaterThanOrEqual(disk?.freeBytes ?? 0);
  expect((await healthView(join(folder, 'nowhere'), null, folder)).disk).toBeNull();
});
