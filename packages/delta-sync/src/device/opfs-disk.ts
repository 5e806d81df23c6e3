// A folder of the origin private file system -> the storage of a device in a browser, for workers: only they get handles that
// write and flush in place. Large models belong here; IndexedDB is for pages without a worker.
import { KerfError, messageOf } from '@kerf/protocol';
import type { DeviceDisk, DeviceStorage } from './device-disk.ts';

/** FileSystemSyncAccessHandle, which the DOM's types name only for workers. */
interface SyncHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(length: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

type WorkerFileHandle = FileSystemFileHandle & {
  createSyncAccessHandle?(): Promise<SyncHandle>;
  move?(name: string): Promise<void>;
};
type IterableFolder = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };

/** A device of this name in this browser profile and origin. Ask for `navigator.storage.persist()` where it matters. */
export async function opfsStorage(name: string): Promise<DeviceStorage> {
  return {
    state: await opfsDisk(`${name}-state`),
    slots: [await opfsDisk(`${name}-slot-0`), await opfsDisk(`${name}-slot-1`)],
  };
}

/**
 * Opens the folder `kerf-device-NAME`, making it where it is not there. To be called in a dedicated worker.
 * @throws {KerfError} BACKEND_UNAVAILABLE outside of a worker or without this file system, DISK_FAILED.
 */
export async function opfsDisk(name: string): Promise<DeviceDisk> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage;
  if (storage?.getDirectory === undefined || !('FileSystemSyncAccessHandle' in globalThis))
    throw new KerfError('BACKEND_UNAVAILABLE', 'files of the browser can be written safely only in a dedicated worker');
  try {
    const root = await storage.getDirectory();
    return new OpfsDisk((await root.getDirectoryHandle(`kerf-device-${name}`, { create: true })) as IterableFolder);
  } catch (error) {
    throw failed(error, `storage '${name}' cannot be opened`);
  }
}

/** Handles are open for one call each: a file may be renamed, and read elsewhere, in between. */
class OpfsDisk implements DeviceDisk {
  readonly #folder: IterableFolder;

  constructor(folder: IterableFolder) {
    this.#folder = folder;
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#folder.keys()) names.push(name);
    return names;
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const file = await this.#file(name);
    const { offset, length } = range ?? { offset: 0, length: file.size };
    if (offset + length > file.size) throw new KerfError('FILE_NOT_FOUND', `'${name}' is too short`);
    try {
      return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    } catch (error) {
      throw failed(error, `'${name}' cannot be read`);
    }
  }

  async size(name: string): Promise<number> {
    return (await this.#file(name)).size;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.#with(name, true, (handle) => {
      const size = handle.getSize();
      const written = writtenOf(handle, bytes, size);
      if (written === bytes.byteLength) return;
      // Part of it may be there, and must not be when it is said that nothing is.
      handle.truncate(size);
      throw new KerfError('DISK_FULL', `there is no room for '${name}' in this browser`);
    });
  }

  async sync(name: string): Promise<void> {
    await this.#with(name, false, (handle) => handle.flush());
  }

  /** The browser keeps names by itself; there is nothing to ask it. */
  async syncNames(): Promise<void> {}

  async truncate(name: string, length: number): Promise<void> {
    await this.#with(name, false, (handle) => {
      if (length < handle.getSize()) handle.truncate(length);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    const file = await this.#handle(from, false);
    if (file.move === undefined) throw new KerfError('BACKEND_UNAVAILABLE', 'this browser cannot rename its files');
    try {
      await file.move(to);
    } catch (error) {
      throw failed(error, `'${from}' cannot be renamed`);
    }
  }

  async remove(name: string): Promise<void> {
    await this.#folder.removeEntry(name).catch((error: unknown) => {
      if (!isNamed(error, 'NotFoundError')) throw failed(error, `'${name}' cannot be removed`);
    });
  }

  async #with(name: string, create: boolean, work: (handle: SyncHandle) => void): Promise<void> {
    const file = await this.#handle(name, create);
    let handle: SyncHandle | undefined;
    try {
      handle = await file.createSyncAccessHandle?.();
      if (handle === undefined)
        throw new KerfError('BACKEND_UNAVAILABLE', 'this browser lends no handle to write with');
      work(handle);
    } catch (error) {
      throw failed(error, `'${name}' in this browser's storage`);
    } finally {
      handle?.close();
    }
  }

  async #handle(name: string, create: boolean): Promise<WorkerFileHandle> {
    try {
      return (await this.#folder.getFileHandle(name, { create })) as WorkerFileHandle;
    } catch (error) {
      if (isNamed(error, 'NotFoundError')) throw new KerfError('FILE_NOT_FOUND', `'${name}' is not stored`);
      throw failed(error, `'${name}' cannot be opened`);
    }
  }

  async #file(name: string): Promise<File> {
    const handle = await this.#handle(name, false);
    try {
      return await handle.getFile();
    } catch (error) {
      if (isNamed(error, 'NotFoundError')) throw new KerfError('FILE_NOT_FOUND', `'${name}' is not stored`);
      throw failed(error, `'${name}' cannot be read`);
    }
  }
}

/** @returns bytes that went in; fewer where the browser lends no more room */
function writtenOf(handle: SyncHandle, bytes: Uint8Array, at: number): number {
  try {
    return handle.write(bytes, { at });
  } catch (error) {
    if (isNamed(error, 'QuotaExceededError')) return -1;
    throw error;
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}

function failed(error: unknown, what: string): KerfError {
  const code = isNamed(error, 'QuotaExceededError') ? 'DISK_FULL' : 'DISK_FAILED';
  return KerfError.from(error, code, `${what}: ${messageOf(error)}`);
}
