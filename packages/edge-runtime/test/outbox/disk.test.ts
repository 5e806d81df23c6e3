// The disks that need no browser, against the suite; what only a folder has.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDisk } from '@kerf/edge-runtime';
import { openFolderDisk } from '@kerf/edge-runtime/node';
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { describeDisk } from '../../../../test/conformance/disk.ts';
import { SimulatedDisk } from '../../../../test/sim/simulated-disk.ts';

const noDispose = async (): Promise<void> => {};

describeDisk('memory', async () => ({ disk: memoryDisk(), reopen: null, dispose: noDispose }));
describeDisk('simulated', async () => ({
  disk: new SimulatedDisk({ random: seededRandom(1) }),
  reopen: null,
  dispose: noDispose,
}));
describeDisk('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-disk-'));
  const disk = await openFolderDisk(folder);
  return {
    disk,
    reopen: () => openFolderDisk(folder),
    dispose: async () => {
      await disk.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

test('a memory disk that is full adds nothing', async () => {
  const disk = memoryDisk({ maxBytes: 10 });
  await disk.append('a', new Uint8Array(6));
  await expect(disk.append('a', new Uint8Array(6))).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(await disk.size('a')).toBe(6);
  await disk.remove('a');
  await disk.append('b', new Uint8Array(10));
});

describe('a folder whose last holder did not close it', () => {
  const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-disk-'));
    try {
      await body(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  test.each([
    ['a process that is gone', '{"pid":999999999,"start":null}'],
    ['another process with the same number', JSON.stringify({ pid: process.pid, start: 'another boot/1' })],
    ['a lock that was cut off', '{"pi'],
  ])('opens after %s', async (_, lock) => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'LOCK'), lock);
      const disk = await openFolderDisk(folder);
      await expect(openFolderDisk(folder)).rejects.toMatchObject({ code: 'DISK_IN_USE' });
      await disk.close();
      await (await openFolderDisk(folder)).close();
    });
  });

  test('does not open while that process lives', async () => {
    await withFolder(async (folder) => {
      const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
      await once(other, 'spawn');
      await writeFile(join(folder, 'LOCK'), JSON.stringify({ pid: other.pid, start: null }));
      await expect(openFolderDisk(folder)).rejects.toMatchObject({ code: 'DISK_IN_USE' });
      other.kill('SIGKILL');
      await once(other, 'exit');
      await (await openFolderDisk(folder)).close();
    });
  });
});
