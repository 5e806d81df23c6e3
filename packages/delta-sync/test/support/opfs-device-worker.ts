// A worker that opens OPFS disks of a device and does what it is told with them.
import type { DeviceDisk } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { opfsDisk } from '../../src/device/opfs-disk.ts';

export interface DeviceDiskOrder {
  readonly id: number;
  readonly name: string;
  readonly method: keyof DeviceDisk;
  readonly args: readonly unknown[];
}

const disks = new Map<string, Promise<DeviceDisk>>();

addEventListener('message', ({ data }: MessageEvent<DeviceDiskOrder>) => {
  void answer(data).then(
    (value) => postMessage({ id: data.id, value }),
    (error: unknown) => {
      const code = KerfError.is(error) ? error.code : 'INTERNAL';
      postMessage({ id: data.id, code, message: String(error) });
    },
  );
});

async function answer({ name, method, args }: DeviceDiskOrder): Promise<unknown> {
  const known = disks.get(name) ?? opfsDisk(name);
  disks.set(name, known);
  const disk = await known;
  return (disk[method] as (...given: readonly unknown[]) => Promise<unknown>).call(disk, ...args);
}
