// A device in a browser's worker: the disk's suite, and updates, over files of the origin private file system.
import { Device, type DeviceDisk, type DeviceStorage, opfsDisk } from '@kerf/delta-sync';
import { type ErrorCode, KerfError } from '@kerf/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import { deviceDiskSuite } from '../../../test/conformance/device-disk.ts';
import { noise, runningOf, World } from './support/device-world.ts';
import type { DeviceDiskOrder } from './support/opfs-device-worker.ts';

const isPage = typeof document !== 'undefined';

/** Disks in a worker, as this side uses them. */
class RemoteDisks {
  readonly #worker = new Worker(new URL('./support/opfs-device-worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, (answer: { value?: unknown; code?: ErrorCode; message?: string }) => void>();
  #calls = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }) => {
      this.#waiting.get(data.id)?.(data);
      this.#waiting.delete(data.id);
    });
  }

  disk(name: string): DeviceDisk {
    const call =
      (method: keyof DeviceDisk) =>
      (...args: unknown[]): Promise<never> =>
        this.#call({ name, method, args }) as Promise<never>;
    const methods = ['list', 'read', 'size', 'append', 'sync', 'syncNames', 'truncate', 'rename', 'remove'] as const;
    return Object.fromEntries(methods.map((method) => [method, call(method)])) as unknown as DeviceDisk;
  }

  end(): void {
    this.#worker.terminate();
  }

  #call(order: Omit<DeviceDiskOrder, 'id'>): Promise<unknown> {
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, code, message }) =>
        code === undefined ? resolve(value) : reject(new KerfError(code, message ?? '')),
      );
      this.#worker.postMessage({ id, ...order } satisfies DeviceDiskOrder);
    });
  }
}

describe.skipIf(!isPage)('OPFS (this host has none outside of a browser)', () => {
  const workers: RemoteDisks[] = [];
  const worker = (): RemoteDisks => {
    const one = new RemoteDisks();
    workers.push(one);
    return one;
  };
  afterAll(() => {
    for (const one of workers) one.end();
  });
  const removed = async (...names: string[]): Promise<void> => {
    const root = await navigator.storage.getDirectory();
    for (const name of names) await root.removeEntry(`kerf-device-${name}`, { recursive: true });
  };

  deviceDiskSuite('OPFS', () => {
    const name = `test-${crypto.randomUUID()}`;
    // Another worker, as another start of the device would be.
    const open = async (): Promise<DeviceDisk> => worker().disk(name);
    return { open, reopen: open, remove: () => removed(name) };
  });

  test('a device installs, follows by a delta and goes back', async () => {
    const name = `test-${crypto.randomUUID()}`;
    const places = ['state', 'slot-0', 'slot-1'].map((part) => `${name}-${part}`) as [string, string, string];
    const storage = (): DeviceStorage => {
      const remote = worker();
      const [state, ...slots] = places.map((place) => remote.disk(place)) as [DeviceDisk, DeviceDisk, DeviceDisk];
      return { state, slots };
    };
    const world = await World.create();
    const base = noise(9000, 1);
    const next = base.slice();
    next.set(noise(500, 2), 4000);
    await world.publish('1.0', { 'model.onnx': base });
    const options = world.device(storage());
    await world.ship(options.storage);
    await (await Device.open(options)).update();
    await world.publish('1.1', { 'model.onnx': next });
    await (await Device.open(options)).update();
    const again = world.device(storage());
    const { device, version } = await runningOf(again);
    expect(version).toBe('1.1');
    await device.rollBack('the test says so');
    expect((await runningOf(again)).version).toBe('1.0');
    await removed(...places);
  });

  test('a page is refused with the reason', async () => {
    await expect(opfsDisk('page')).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  });
});
