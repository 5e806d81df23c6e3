// The disks of a browser, in a real one, against the suite; and an outbox over IndexedDB.
import { type Disk, Outbox } from '@kerf/edge-runtime';
import { type ErrorCode, KerfError } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { type DiskUnderTest, describeDisk } from '../../../../test/conformance/disk.ts';
import { openIndexedDbDisk } from '../../src/browser/indexed-db-disk.ts';
import { openOpfsDisk } from '../../src/browser/opfs-disk.ts';
import type { DiskOrder } from './support/opfs-worker.ts';
import { recordOf, TestSink } from './support/records.ts';

let names = 0;
const freshName = (): string => `test-${Date.now()}-${names++}`;

/** A disk in a worker, as this side uses it. */
class RemoteDisks {
  readonly #worker = new Worker(new URL('./support/opfs-worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, (answer: { value?: unknown; code?: ErrorCode; message?: string }) => void>();
  #calls = 0;
  #disks = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }) => this.#waiting.get(data.id)?.(data));
  }

  async open(name: string): Promise<Disk> {
    const disk = this.#disks++;
    await this.#call(disk, 'open', [name]);
    const method =
      (which: keyof Disk) =>
      (...args: unknown[]): Promise<never> =>
        this.#call(disk, which, args) as Promise<never>;
    const methods = ['list', 'read', 'size', 'append', 'sync', 'syncNames', 'remove', 'close'] as const;
    return { kind: 'opfs', ...Object.fromEntries(methods.map((which) => [which, method(which)])) } as unknown as Disk;
  }

  end(): void {
    this.#worker.terminate();
  }

  #call(disk: number, method: DiskOrder['method'], args: readonly unknown[]): Promise<unknown> {
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, code, message }) =>
        code === undefined ? resolve(value) : reject(new KerfError(code, message ?? '')),
      );
      this.#worker.postMessage({ id, disk, method, args } satisfies DiskOrder);
    });
  }
}

if (typeof indexedDB === 'undefined') {
  test('the disks of a browser', (context) => context.skip('not in a browser'));
} else {
  describeDisk('indexeddb', async (): Promise<DiskUnderTest> => {
    const name = freshName();
    const disk = await openIndexedDbDisk(name);
    return {
      disk,
      reopen: () => openIndexedDbDisk(name),
      dispose: async () => {
        await disk.close();
        indexedDB.deleteDatabase(`kerf-disk-${name}`);
      },
    };
  });

  describeDisk('opfs', async (): Promise<DiskUnderTest> => {
    const name = freshName();
    const remote = new RemoteDisks();
    const disk = await remote.open(name);
    return {
      disk,
      reopen: () => remote.open(name),
      dispose: async () => {
        await disk.close();
        remote.end();
        const root = await navigator.storage.getDirectory();
        await root.removeEntry(`kerf-${name}`, { recursive: true });
      },
    };
  });

  describe('in a page', () => {
    test('OPFS is refused with the reason', async () => {
      await expect(openOpfsDisk('page')).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    });

    test('an outbox over IndexedDB keeps what a page that went away had put', async () => {
      const name = freshName();
      const [blocked, open] = [new TestSink(), new TestSink()];
      blocked.mode = 'refuse';
      const before = await openIndexedDbDisk(name);
      const first = await Outbox.open({ disk: before, sinks: [blocked] });
      await first.put(recordOf('1'));
      await first.put(recordOf('2', { isPartial: true }), {
        kept: { kind: 'encoded', format: 'png', bytes: Uint8Array.of(1, 2, 3) },
      });
      await first.close();
      await before.close();
      const after = await openIndexedDbDisk(name);
      const second = await Outbox.open({ disk: after, sinks: [open] });
      expect(await second.drain(10_000)).toBe(true);
      expect(open.committed).toEqual(['1#0', '2#0']);
      expect((await second.readUnsettled('2'))?.picture).toMatchObject({ bytes: Uint8Array.of(1, 2, 3) });
      await second.close();
      await after.close();
    });
  });
}
