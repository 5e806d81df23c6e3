// An IndexedDB -> a disk: chunks of files by their offset, each append a transaction that the browser makes durable.
import { KerfError, messageOf } from '@kerf/protocol';
import { checkDiskName, type Disk, noSuchFile } from '../outbox/disk.ts';
import { holdLock } from './hold-lock.ts';

const CHUNKS = 'chunks';

/**
 * Opens the storage of `name`, making it where it is not there. One page or worker has it at a time.
 * @throws {KerfError} DISK_IN_USE, DISK_FAILED, BACKEND_UNAVAILABLE where there is no IndexedDB.
 */
export async function openIndexedDbDisk(name: string): Promise<Disk> {
  if (typeof indexedDB === 'undefined')
    throw new KerfError('BACKEND_UNAVAILABLE', 'this browser has no IndexedDB here');
  const unlock = await holdLock(`kerf-disk-${name}`, `storage '${name}'`);
  try {
    const database = await openDatabase(`kerf-disk-${name}`);
    return await IndexedDbDisk.load(database, unlock);
  } catch (error) {
    unlock();
    throw failed(error, `storage '${name}' cannot be opened`);
  }
}

interface FileMap {
  /** Where each chunk begins, rising. */
  readonly offsets: number[];
  length: number;
}

class IndexedDbDisk implements Disk {
  readonly kind = 'indexeddb';
  readonly #database: IDBDatabase;
  readonly #unlock: () => void;
  readonly #files = new Map<string, FileMap>();
  /** Changes are made one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(database: IDBDatabase, unlock: () => void) {
    this.#database = database;
    this.#unlock = unlock;
  }

  static async load(database: IDBDatabase, unlock: () => void): Promise<IndexedDbDisk> {
    const disk = new IndexedDbDisk(database, unlock);
    const keys = (await disk.#ask('readonly', (chunks) => chunks.getAllKeys())) as [string, number][];
    for (const [name, offset] of keys) disk.#mapOf(name).offsets.push(offset);
    for (const [name, file] of disk.#files) {
      const last = file.offsets.at(-1) ?? 0;
      file.length = last + (await disk.#chunk(name, last)).byteLength;
    }
    return disk;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const { offsets, length } = this.#file(name);
    const start = Math.min(range?.offset ?? 0, length);
    const end = range === undefined ? length : Math.min(length, start + range.length);
    const bytes = new Uint8Array(end - start);
    for (let at = Math.max(0, firstAfter(offsets, start) - 1); at < offsets.length; at++) {
      const offset = offsets[at] as number;
      if (offset >= end) break;
      const chunk = await this.#chunk(name, offset);
      const from = Math.max(0, start - offset);
      bytes.set(chunk.subarray(from, end - offset), offset + from - start);
    }
    return bytes;
  }

  async size(name: string): Promise<number> {
    return this.#file(name).length;
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    checkDiskName(name);
    const chunk = new Uint8Array(bytes);
    return this.#inTurn(async () => {
      const file = this.#files.get(name);
      const offset = file?.length ?? 0;
      // An empty chunk would lie where the next one begins.
      if (chunk.byteLength > 0 || file === undefined)
        await this.#ask('readwrite', (chunks) => chunks.put(chunk, [name, offset]));
      const map = this.#mapOf(name);
      if (map.offsets.at(-1) !== offset) map.offsets.push(offset);
      map.length = offset + chunk.byteLength;
    });
  }

  /** Every append was a transaction of strict durability. */
  async sync(name: string): Promise<void> {
    this.#file(name);
  }

  async syncNames(): Promise<void> {}

  remove(name: string): Promise<void> {
    checkDiskName(name);
    return this.#inTurn(async () => {
      const range = IDBKeyRange.bound([name, 0], [name, Number.MAX_SAFE_INTEGER]);
      await this.#ask('readwrite', (chunks) => chunks.delete(range));
      this.#files.delete(name);
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    this.#database.close();
    this.#unlock();
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action, action);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #chunk(name: string, offset: number): Promise<Uint8Array> {
    const chunk = await this.#ask('readonly', (chunks) => chunks.get([name, offset]));
    if (chunk instanceof Uint8Array) return chunk;
    throw new KerfError('DISK_FAILED', `part of '${name}' is gone: the browser or a person has removed it`);
  }

  #ask<T>(mode: IDBTransactionMode, request: (chunks: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const transaction = this.#database.transaction(CHUNKS, mode, { durability: 'strict' });
      const asked = request(transaction.objectStore(CHUNKS));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error ?? asked.error ?? new Error('the transaction was aborted'));
    }).catch((error: unknown) => {
      throw failed(error, 'the storage of the browser did not do what it was asked to');
    });
  }

  #mapOf(name: string): FileMap {
    let file = this.#files.get(name);
    if (file === undefined) this.#files.set(name, (file = { offsets: [], length: 0 }));
    return file;
  }

  #file(name: string): FileMap {
    const file = this.#files.get(name);
    if (file === undefined) throw noSuchFile(name);
    return file;
  }
}

/** Index of the first offset beyond `value`. */
function firstAfter(offsets: readonly number[], value: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => void opening.result.createObjectStore(CHUNKS);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error('IndexedDB did not open'));
    opening.onblocked = () => reject(new KerfError('DISK_IN_USE', 'another page has this storage open; close it'));
  });
}

function failed(error: unknown, what: string): KerfError {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
  return KerfError.from(error, isFull ? 'DISK_FULL' : 'DISK_FAILED', `${what}: ${messageOf(error)}`);
}
