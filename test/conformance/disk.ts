// What every Disk must do; called by the test file of each implementation.
import type { Disk } from '@kerf/edge-runtime';
import { KerfError } from '@kerf/protocol';
import { afterEach, describe, expect, it } from 'vitest';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** The same storage opened again, the first time closed; null where nothing outlives the disk. */
  readonly reopen: (() => Promise<Disk>) | null;
  dispose(): Promise<void>;
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return KerfError.is(error) ? error.code : `not a KerfError: ${String(error)}`;
  }
  return 'no error';
}

/** Registers the suite for `name`; `open` makes a fresh, empty disk. */
export function describeDisk(name: string, open: () => Promise<DiskUnderTest>): void {
  describe(`disk: ${name}`, () => {
    let under: DiskUnderTest | null = null;
    const fresh = async (): Promise<DiskUnderTest> => (under = await open());
    afterEach(async () => {
      await under?.dispose();
      under = null;
    });

    it('starts empty', async () => {
      const { disk } = await fresh();
      expect(await disk.list()).toEqual([]);
    });

    it('appends, in order, and reads what was appended', async () => {
      const { disk } = await fresh();
      await disk.append('log-1', bytesOf(1, 2, 3));
      await disk.append('log-1', bytesOf());
      await disk.append('log-1', bytesOf(4, 5));
      await disk.append('log-2', bytesOf(9));
      expect(await disk.read('log-1')).toEqual(bytesOf(1, 2, 3, 4, 5));
      expect(await disk.size('log-1')).toBe(5);
      expect([...(await disk.list())].sort()).toEqual(['log-1', 'log-2']);
    });

    it('reads a part, and less than asked for at the end', async () => {
      const { disk } = await fresh();
      for (let at = 0; at < 10; at += 2) await disk.append('a', bytesOf(at, at + 1));
      expect(await disk.read('a', { offset: 3, length: 4 })).toEqual(bytesOf(3, 4, 5, 6));
      expect(await disk.read('a', { offset: 8, length: 100 })).toEqual(bytesOf(8, 9));
      expect(await disk.read('a', { offset: 20, length: 1 })).toEqual(bytesOf());
    });

    it('gives bytes that later appends do not change, and keeps none of the caller', async () => {
      const { disk } = await fresh();
      const mine = bytesOf(1, 2);
      await disk.append('a', mine);
      mine.fill(7);
      const read = await disk.read('a');
      await disk.append('a', bytesOf(3));
      read.fill(8);
      expect(await disk.read('a')).toEqual(bytesOf(1, 2, 3));
    });

    it('holds files of megabytes', async () => {
      const { disk } = await fresh();
      const chunk = Uint8Array.from({ length: 700_001 }, (_, index) => index * 7);
      for (let count = 0; count < 3; count++) await disk.append('large', chunk);
      await disk.sync('large');
      expect(await disk.size('large')).toBe(2_100_003);
      const across = await disk.read('large', { offset: 700_000, length: 3 });
      expect(across).toEqual(bytesOf(chunk[700_000]!, chunk[0]!, chunk[1]!));
    });

    it('removes, also what is not there, and starts anew under the same name', async () => {
      const { disk } = await fresh();
      await disk.append('a', bytesOf(1));
      await disk.remove('a');
      await disk.remove('a');
      await disk.syncNames();
      expect(await disk.list()).toEqual([]);
      await disk.append('a', bytesOf(2));
      expect(await disk.read('a')).toEqual(bytesOf(2));
    });

    it('says FILE_NOT_FOUND of what is not there', async () => {
      const { disk } = await fresh();
      expect(await codeOf(disk.read('a'))).toBe('FILE_NOT_FOUND');
      expect(await codeOf(disk.read('a', { offset: 0, length: 1 }))).toBe('FILE_NOT_FOUND');
      expect(await codeOf(disk.size('a'))).toBe('FILE_NOT_FOUND');
      expect(await codeOf(disk.sync('a'))).toBe('FILE_NOT_FOUND');
    });

    it('takes appends and reads of several files at once', async () => {
      const { disk } = await fresh();
      await Promise.all(['a', 'b', 'c'].map((file, index) => disk.append(file, bytesOf(index))));
      const read = await Promise.all(['a', 'b', 'c'].map((file) => disk.read(file)));
      expect(read).toEqual([bytesOf(0), bytesOf(1), bytesOf(2)]);
    });

    it('has everything that was synced when it is opened again', async (context) => {
      const { disk, reopen } = await fresh();
      if (reopen === null) return context.skip('nothing outlives this disk');
      await disk.append('kept', bytesOf(1, 2));
      await disk.sync('kept');
      await disk.append('gone', bytesOf(3));
      await disk.remove('gone');
      await disk.syncNames();
      await disk.close();
      const again = await reopen();
      expect(await again.list()).toEqual(['kept']);
      await again.append('kept', bytesOf(3));
      expect(await again.read('kept')).toEqual(bytesOf(1, 2, 3));
      await again.close();
    });

    it('is open once', async (context) => {
      const { reopen } = await fresh();
      if (reopen === null) return context.skip('nobody else can open it');
      expect(await codeOf(reopen())).toBe('DISK_IN_USE');
    });
  });
}
