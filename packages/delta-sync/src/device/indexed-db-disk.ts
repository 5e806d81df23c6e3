// IndexedDB -> the storage of a device in a browser. Every change is one transaction: whole or not there.
import { KerfError, messageOf } from '@kerf/protocol';
import type { DeviceDisk, DeviceStorage } from './device-disk.ts';

interface FileRecord {
  readonly id: number;
  readonly bytes: number;
}

interface PieceRecord {
  readonly id: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const [FILES, PIECES, META] = ['files', 'pieces', 'meta'] as const;

/** A device of this name in this browser profile and origin. Ask for `navigator.storage.persist()` where it matters. */
export async function indexedDbStorage(name: string): Promise<DeviceStorage> {
  return {
    state: await indexedDbDisk(`${name}-state`),
    slots: [await indexedDbDisk(`${name}-slot-0`), await indexedDbDisk(`${name}-slot-1`)],
  };
}

/** @throws {KerfError} DISK_FAILED when the browser lends no storage. */
export async function indexedDbDisk(name: string): Promise<DeviceDisk> {
  const open = indexedDB.open(name, 1);
  open.onupgradeneeded = () => {
    open.result.createObjectStore(FILES);
    open.result.createObjectStore(PIECES, { keyPath: ['id', 'offset'] });
    open.result.createObjectStore(META);
  };
  const database = await done(open).catch((cause: unknown) => {
    throw faultOf(cause, name);
  });
  return new IndexedDbDisk(database);
}

class IndexedDbDisk implements DeviceDisk {
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  list(): Promise<readonly string[]> {
    return this.#run('readonly', '', async (tx) => (await done(tx.objectStore(FILES).getAllKeys())) as string[]);
  }

  read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    return this.#run('readonly', name, async (tx) => {
      const file = await fileOf(tx, name);
      const { offset, length } = range ?? { offset: 0, length: file.bytes };
      if (offset + length > file.bytes) throw new KerfError('FILE_NOT_FOUND', `'${name}' is too short`);
      const result = new Uint8Array(length);
      await eachPiece(
        tx,
        file.id,
        (piece) => {
          const from = Math.max(offset, piece.offset);
          const to = Math.min(offset + length, piece.offset + piece.bytes.byteLength);
          if (from < to) result.set(piece.bytes.subarray(from - piece.offset, to - piece.offset), from - offset);
        },
        offset,
        offset + length,
      );
      return result;
    });
  }

  size(name: string): Promise<number> {
    return this.#run('readonly', name, async (tx) => (await fileOf(tx, name)).bytes);
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#run('readwrite', name, async (tx) => {
      const known = (await done(tx.objectStore(FILES).get(name))) as FileRecord | undefined;
      const file = known ?? { id: await newId(tx), bytes: 0 };
      const piece: PieceRecord = { id: file.id, offset: file.bytes, bytes: bytes.slice() };
      if (bytes.byteLength > 0) await done(tx.objectStore(PIECES).put(piece));
      await done(tx.objectStore(FILES).put({ id: file.id, bytes: file.bytes + bytes.byteLength }, name));
    });
  }

  /** Transactions are strict: what has resolved is safe. */
  async sync(): Promise<void> {}

  async syncNames(): Promise<void> {}

  truncate(name: string, length: number): Promise<void> {
    return this.#run('readwrite', name, async (tx) => {
      const { id, bytes } = await fileOf(tx, name);
      if (length >= bytes) return;
      const pieces: PieceRecord[] = [];
      await eachPiece(tx, id, (piece) => void pieces.push(piece), length, bytes);
      await done(tx.objectStore(PIECES).delete(IDBKeyRange.bound([id, length], [id, Number.MAX_SAFE_INTEGER])));
      for (const piece of pieces) {
        if (piece.offset >= length) continue;
        await done(tx.objectStore(PIECES).put({ ...piece, bytes: piece.bytes.slice(0, length - piece.offset) }));
      }
      await done(tx.objectStore(FILES).put({ id, bytes: length }, name));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('readwrite', from, async (tx) => {
      const file = await fileOf(tx, from);
      await removeFile(tx, to);
      await done(tx.objectStore(FILES).delete(from));
      await done(tx.objectStore(FILES).put(file, to));
    });
  }

  remove(name: string): Promise<void> {
    return this.#run('readwrite', name, (tx) => removeFile(tx, name));
  }

  /** Resolves once the transaction has been committed to the disk. */
  async #run<T>(mode: IDBTransactionMode, name: string, work: (tx: IDBTransaction) => Promise<T>): Promise<T> {
    const tx = this.#database.transaction([FILES, PIECES, META], mode, { durability: 'strict' });
    const committed = new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new Error('the browser ended the transaction'));
    });
    // Whoever fails first is told of; the other promise must not be left alone.
    committed.catch(() => {});
    try {
      const result = await work(tx);
      await committed;
      return result;
    } catch (cause) {
      if (KerfError.is(cause)) {
        tx.abort();
        throw cause;
      }
      throw faultOf(cause, name);
    }
  }
}

async function fileOf(tx: IDBTransaction, name: string): Promise<FileRecord> {
  const file = (await done(tx.objectStore(FILES).get(name))) as FileRecord | undefined;
  if (file === undefined) throw new KerfError('FILE_NOT_FOUND', `'${name}' is not stored`);
  return file;
}

async function removeFile(tx: IDBTransaction, name: string): Promise<void> {
  const file = (await done(tx.objectStore(FILES).get(name))) as FileRecord | undefined;
  if (file === undefined) return;
  await done(tx.objectStore(FILES).delete(name));
  await done(tx.objectStore(PIECES).delete(IDBKeyRange.bound([file.id, 0], [file.id, Number.MAX_SAFE_INTEGER])));
}

async function newId(tx: IDBTransaction): Promise<number> {
  const id = ((await done(tx.objectStore(META).get('id'))) as number | undefined) ?? 0;
  await done(tx.objectStore(META).put(id + 1, 'id'));
  return id;
}

/** Pieces that hold bytes of [from, to), the one that `from` lies in first. */
async function eachPiece(
  tx: IDBTransaction,
  id: number,
  use: (piece: PieceRecord) => void,
  from: number,
  to: number,
): Promise<void> {
  if (to <= from) return;
  const store = tx.objectStore(PIECES);
  const first = await done(store.openKeyCursor(IDBKeyRange.bound([id, 0], [id, from]), 'prev'));
  const start = first === null ? [id, from] : first.key;
  for (const piece of (await done(store.getAll(IDBKeyRange.bound(start, [id, to], false, true)))) as PieceRecord[])
    use(piece);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser gives no reason'));
  });
}

function faultOf(cause: unknown, name: string): KerfError {
  if (cause instanceof DOMException && cause.name === 'QuotaExceededError') {
    return new KerfError('DISK_FULL', `there is no room for '${name}' in this browser`, { cause });
  }
  return KerfError.from(cause, 'DISK_FAILED', `'${name}' in this browser's storage: ${messageOf(cause)}`);
}
