// A device in a browser: the same updates over IndexedDB, read again by another connection.
import { Device, type DeviceDisk, indexedDbDisk, indexedDbStorage } from '@kerf/delta-sync';
import { describe, expect, test } from 'vitest';
import { noise, runningOf, World } from './support/device-world.ts';

const hasIndexedDb = typeof indexedDB !== 'undefined';

/** The disk's bytes are what this says; names are those of the files that are there. */
async function contents(disk: DeviceDisk): Promise<Record<string, number[]>> {
  const entries = await Promise.all(
    [...(await disk.list())].sort().map(async (name) => [name, [...(await disk.read(name))]] as [string, number[]]),
  );
  return Object.fromEntries(entries);
}

describe.skipIf(!hasIndexedDb)('IndexedDB (this host has none outside of a browser)', () => {
  test('appends, ranges across pieces, truncation, renaming over a file, removal', async () => {
    const name = `kerf-test-${crypto.randomUUID()}`;
    const disk = await indexedDbDisk(name);
    await disk.append('a', Uint8Array.of(1, 2, 3));
    await disk.append('a', new Uint8Array(0));
    await disk.append('a', Uint8Array.of(4, 5, 6, 7));
    await disk.append('b', Uint8Array.of(9));
    expect([...(await disk.read('a', { offset: 2, length: 3 }))]).toEqual([3, 4, 5]);
    expect([...(await disk.read('a', { offset: 7, length: 0 }))]).toEqual([]);
    await expect(disk.read('a', { offset: 6, length: 2 })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await disk.truncate('a', 5);
    await disk.append('a', Uint8Array.of(8));
    expect(await contents(disk)).toEqual({ a: [1, 2, 3, 4, 5, 8], b: [9] });
    await disk.rename('a', 'b');
    await disk.remove('none');
    expect(await contents(await indexedDbDisk(name))).toEqual({ b: [1, 2, 3, 4, 5, 8] });
    await disk.truncate('b', 0);
    expect(await disk.size('b')).toBe(0);
    await disk.remove('b');
    expect(await disk.list()).toEqual([]);
    await expect(disk.size('b')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    indexedDB.deleteDatabase(name);
  });

  test('a device installs, follows by a delta and goes back', async () => {
    const name = `kerf-test-${crypto.randomUUID()}`;
    const world = await World.create();
    const base = noise(9000, 1);
    const next = base.slice();
    next.set(noise(500, 2), 4000);
    await world.publish('1.0', { 'model.onnx': base });
    const options = world.device(await indexedDbStorage(name));
    await world.ship(options.storage);
    await (await Device.open(options)).update();
    await world.publish('1.1', { 'model.onnx': next });
    await (await Device.open(options)).update();
    const again = world.device(await indexedDbStorage(name));
    const { device, version } = await runningOf(again);
    expect(version).toBe('1.1');
    await device.rollBack('the test says so');
    expect((await runningOf(again)).version).toBe('1.0');
    for (const part of ['state', 'slot-0', 'slot-1']) indexedDB.deleteDatabase(`${name}-${part}`);
  });
});
