// What every DeviceDisk must do: the seam under a device's slots and state.
import type { DeviceDisk } from '@kerf/delta-sync';
import { describe, expect, test } from 'vitest';

export interface DeviceDiskCase {
  /** An empty disk. */
  open(): Promise<DeviceDisk>;
  /** The same storage, opened once more. */
  reopen(): Promise<DeviceDisk>;
  remove(): Promise<void>;
}

async function contents(disk: DeviceDisk): Promise<Record<string, number[]>> {
  const names = [...(await disk.list())].sort();
  const entries = await Promise.all(
    names.map(async (name) => [name, [...(await disk.read(name))]] as [string, number[]]),
  );
  return Object.fromEntries(entries);
}

export function deviceDiskSuite(name: string, make: () => DeviceDiskCase): void {
  describe(`DeviceDisk: ${name}`, () => {
    const run = (title: string, body: (disk: DeviceDisk, subject: DeviceDiskCase) => Promise<void>): void => {
      test(title, async () => {
        const subject = make();
        try {
          await body(await subject.open(), subject);
        } finally {
          await subject.remove();
        }
      });
    };

    run('appends, and reads any range across what was appended', async (disk) => {
      await disk.append('a', Uint8Array.of(1, 2, 3));
      await disk.append('a', new Uint8Array(0));
      await disk.append('a', Uint8Array.of(4, 5, 6, 7));
      expect(await disk.size('a')).toBe(7);
      expect([...(await disk.read('a', { offset: 2, length: 3 }))]).toEqual([3, 4, 5]);
      expect([...(await disk.read('a', { offset: 6, length: 1 }))]).toEqual([7]);
      expect([...(await disk.read('a', { offset: 7, length: 0 }))]).toEqual([]);
      await expect(disk.read('a', { offset: 6, length: 2 })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    });

    run('keeps what it was given, not the array that it came in', async (disk) => {
      const bytes = Uint8Array.of(1, 2, 3);
      await disk.append('a', bytes);
      bytes.fill(9);
      expect([...(await disk.read('a'))]).toEqual([1, 2, 3]);
    });

    run('an empty file is a file', async (disk) => {
      await disk.append('empty', new Uint8Array(0));
      expect(await contents(disk)).toEqual({ empty: [] });
    });

    run('truncates within what was appended, and appends behind that', async (disk) => {
      await disk.append('a', Uint8Array.of(1, 2, 3));
      await disk.append('a', Uint8Array.of(4, 5, 6));
      await disk.truncate('a', 4);
      await disk.append('a', Uint8Array.of(8));
      expect(await contents(disk)).toEqual({ a: [1, 2, 3, 4, 8] });
      await disk.truncate('a', 0);
      expect(await disk.size('a')).toBe(0);
    });

    run('renames over a file, and holds names that begin with a dot', async (disk) => {
      await disk.append('.part-x', Uint8Array.of(1));
      await disk.append('model.onnx', Uint8Array.of(2, 2));
      await disk.rename('.part-x', 'model.onnx');
      expect(await contents(disk)).toEqual({ 'model.onnx': [1] });
    });

    run('removes, also what is not there', async (disk) => {
      await disk.append('a', Uint8Array.of(1));
      await disk.remove('a');
      await disk.remove('a');
      expect(await disk.list()).toEqual([]);
      await expect(disk.size('a')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
      await expect(disk.read('a')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    });

    run('what was synced is there when it is opened again', async (disk, subject) => {
      await disk.append('a', Uint8Array.of(1, 2));
      await disk.sync('a');
      await disk.rename('a', 'b');
      await disk.syncNames();
      expect(await contents(await subject.reopen())).toEqual({ b: [1, 2] });
    });
  });
}
