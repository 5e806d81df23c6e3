// A device in a browser: the same updates over IndexedDB, read again by another connection.
import { Device, type DeviceDisk, indexedDbDisk, indexedDbStorage } from '@kerf/delta-sync';
import { describe, expect, test } from 'vitest';
import { deviceDiskSuite } from '../../../test/conformance/device-disk.ts';
import { noise, runningOf, World } from './support/device-world.ts';

const hasIndexedDb = typeof indexedDB !== 'undefined';

describe.skipIf(!hasIndexedDb)('IndexedDB (this host has none outside of a browser)', () => {
  deviceDiskSuite('IndexedDB', () => {
    const name = `kerf-test-${crypto.randomUUID()}`;
    const open = (): Promise<DeviceDisk> => indexedDbDisk(name);
    return { open, reopen: open, remove: async () => void indexedDB.deleteDatabase(name) };
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
