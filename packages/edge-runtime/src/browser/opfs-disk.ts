// A folder of the origin private file system -> a disk, for workers: only they get handles that write and flush in place.
import { KerfError, messageOf } from '@kerf/protocol';
import { checkDiskName, type Disk, noSuchFile } from '../outbox/disk.ts';
import { holdLock } from './hold-lock.ts';

/** FileSystemSyncAccessHandle, which the DOM's types name only for workers. */
interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(length: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncHandle> };
type IterableFolder = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };

/**
 * Opens the folder `name`, making it where it is not there. To be called in a dedicated worker.
 * @throws {KerfError} DISK_IN_USE, DISK_FAILED, BACKEND_UNAVAILABLE outside of a worker or without this file system.
 */
export async function openOpfsDisk(name: string): Promise<Disk> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage;
  const canSync = 'FileSystemSyncAccessHandle' in globalThis;
  if (storage?.getDirectory === undefined || !canSync)
    throw new KerfError('BACKEND_UNAVAILABLE', 'files of the browser can be written safely only in a dedicated worker');
  const unlock = await holdLock(`kerf-opfs-${name}`, `storage '${name}'`);
  try {
    const root = await storage.getDirectory();
    return new OpfsDisk((await root.getDirectoryHandle(`kerf-${name}`, { create: true })) as IterableFolder, unlock);
  } catch (error) {
    unlock();
    throw failed(error, `storage '${name}' cannot be opened`);
  }
}

class OpfsDisk implements Disk {
  readonly kind = 'opfs';
  readonly #folder: IterableFolder;
  readonly #unlock: () => void;
  /** Open handles: a file has one. */
  readonly #handles = new Map<string, Promise<SyncHandle>>();

  constructor(folder: IterableFolder, unlock: () => void) {
    this.#folder = folder;
    this.#unlock = unlock;
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#folder.keys()) names.push(name);
    return names;
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const handle = await this.#handle(name, false);
    const { offset, length } = range ?? { offset: 0, length: handle.getSize() };
    const bytes = new Uint8Array(Math.max(0, Math.min(length, handle.getSize() - offset)));
    return bytes.subarray(0, bytes.byteLength === 0 ? 0 : handle.read(bytes, { at: offset }));
  }

  async size(name: string): Promise<number> {
    return (await this.#handle(name, false)).getSize();
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    checkDiskName(name);
    const handle = await this.#handle(name, true);
    const size = handle.getSize();
    let written = 0;
    try {
      written = handle.write(bytes, { at: size });
    } catch (error) {
      if (!isFull(error)) throw failed(error, `'${name}' cannot be written`);
    }
    if (written === bytes.byteLength) return;
    // Part of it may be there, and must not be when it is said that nothing is.
    try {
      handle.truncate(size);
    } catch (error) {
      throw failed(error, `'${name}' cannot be written or cut back`);
    }
    throw new KerfError('DISK_FULL', `the browser lends no room for ${bytes.byteLength} bytes more`);
  }

  async sync(name: string): Promise<void> {
    const handle = await this.#handle(name, false);
    try {
      handle.flush();
    } catch (error) {
      throw failed(error, `'${name}' cannot be flushed`);
    }
  }

  /** The browser keeps names by itself; there is nothing to ask it. */
  async syncNames(): Promise<void> {}

  async remove(name: string): Promise<void> {
    checkDiskName(name);
    const handle = this.#handles.get(name);
    this.#handles.delete(name);
    (await handle?.catch(() => null))?.close();
    await this.#folder.removeEntry(name).catch((error: unknown) => {
      if (!isMissing(error)) throw failed(error, `'${name}' cannot be removed`);
    });
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) (await handle.catch(() => null))?.close();
    this.#handles.clear();
    this.#unlock();
  }

  #handle(name: string, create: boolean): Promise<SyncHandle> {
    checkDiskName(name);
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    const opening = this.#open(name, create);
    this.#handles.set(name, opening);
    opening.catch(() => this.#handles.delete(name));
    return opening;
  }

  async #open(name: string, create: boolean): Promise<SyncHandle> {
    try {
      const file = (await this.#folder.getFileHandle(name, { create })) as WorkerFileHandle;
      const handle = await file.createSyncAccessHandle?.();
      if (handle === undefined)
        throw new KerfError('BACKEND_UNAVAILABLE', 'this browser lends no handle to write with');
      return handle;
    } catch (error) {
      if (isMissing(error)) throw noSuchFile(name);
      throw failed(error, `'${name}' cannot be opened`);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

function failed(error: unknown, what: string): KerfError {
  return KerfError.from(error, isFull(error) ? 'DISK_FULL' : 'DISK_FAILED', `${what}: ${messageOf(error)}`);
}
