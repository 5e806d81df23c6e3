// A worker that opens OPFS disks and does what it is told with them.
import type { Disk } from '@kerf/edge-runtime';
import { KerfError } from '@kerf/protocol';
import { openOpfsDisk } from '../../../src/browser/opfs-disk.ts';

export interface DiskOrder {
  readonly id: number;
  readonly disk: number;
  readonly method: 'open' | keyof Disk;
  readonly args: readonly unknown[];
}

const disks = new Map<number, Disk>();

addEventListener('message', ({ data }: MessageEvent<DiskOrder>) => {
  void answer(data).then(
    (value) => postMessage({ id: data.id, value }),
    (error: unknown) => {
      const code = KerfError.is(error) ? error.code : 'INTERNAL';
      postMessage({ id: data.id, code, message: String(error) });
    },
  );
});

async function answer({ disk, method, args }: DiskOrder): Promise<unknown> {
  if (method === 'open') {
    disks.set(disk, await openOpfsDisk(args[0] as string));
    return null;
  }
  const call = disks.get(disk)?.[method] as (...args: readonly unknown[]) => Promise<unknown>;
  return call.call(disks.get(disk), ...args);
}
