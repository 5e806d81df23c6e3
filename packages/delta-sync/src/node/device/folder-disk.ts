// A folder -> the storage of a device: files in it, synced when it says so.
import { open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import type { DeviceDisk, DeviceStorage } from '../../device/device-disk.ts';

/** Flat: folders in it are not seen. The folder is made when it is not there. */
export async function folderDisk(folder: string): Promise<DeviceDisk> {
  await makeFolders(folder);
  const at = (name: string): string => path.join(folder, name);
  return {
    async list() {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    read: (name, range) => guarded(name, () => readRange(at(name), range)),
    size: (name) => guarded(name, async () => (await stat(at(name))).size),
    append: (name, bytes) =>
      guarded(name, async () => {
        const handle = await open(at(name), 'a');
        const before = (await handle.stat()).size;
        try {
          await handle.writeFile(bytes);
        } catch (cause) {
          // All or nothing, as far as a full disk lets it.
          await handle.truncate(before).catch(() => {});
          throw cause;
        } finally {
          await handle.close();
        }
      }),
    sync: (name) =>
      guarded(name, async () => {
        const handle = await open(at(name), 'r+');
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
      }),
    async syncNames() {
      // Windows has no such thing as opening a folder; its names are journalled.
      if (process.platform === 'win32') return;
      const handle = await open(folder, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    truncate: (name, length) => guarded(name, () => truncate(at(name), length)),
    rename: (from, to) => guarded(from, () => rename(at(from), at(to))),
    remove: (name) => rm(at(name), { force: true }),
  };
}

/** `state`, `slot-0` and `slot-1` in a folder. */
export async function folderStorage(folder: string): Promise<DeviceStorage> {
  return {
    state: await folderDisk(path.join(folder, 'state')),
    slots: [await folderDisk(slotFolder(folder, 0)), await folderDisk(slotFolder(folder, 1))],
  };
}

/** Where a runtime finds the files of a slot. */
export function slotFolder(folder: string, slot: 0 | 1): string {
  return path.join(folder, `slot-${slot}`);
}

async function readRange(
  file: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const { offset, length } = range ?? { offset: 0, length: size };
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) throw new KerfError('FILE_NOT_FOUND', `'${path.basename(file)}' is shorter than it was`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (isDiskFull(cause)) {
      throw new KerfError('DISK_FULL', `there is no room for '${name}': make some, what is written is kept`, { cause });
    }
    const fault = code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'DISK_FAILED';
    throw KerfError.from(cause, fault, `'${name}' on the device's disk: ${messageOf(cause)}`);
  }
}
