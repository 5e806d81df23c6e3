// A folder -> a disk whose syncs reach the platter, open in one process at a time.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { checkDiskName, DISK_NAME, type Disk, noSuchFile } from '../outbox/disk.ts';
import { processStart } from './process-start.ts';

const LOCK_NAME = 'LOCK';

/**
 * Opens a folder, making it where it is not there. Only kerf's files may be in it.
 * @throws {KerfError} DISK_IN_USE, DISK_FULL, DISK_FAILED.
 */
export async function openFolderDisk(folder: string): Promise<Disk> {
  const path = resolve(folder);
  await asDiskError(() => makeFolders(path), `folder '${folder}' cannot be made`);
  await lock(path, folder);
  return new FolderDisk(path);
}

/** The files are plain: the folder of a process that was killed is opened by the next one. */
class FolderDisk implements Disk {
  readonly kind = 'folder';
  readonly #path: string;
  /** The file that grows stays open: one write and one sync a batch. */
  #open: { readonly name: string; readonly handle: FileHandle } | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async list(): Promise<readonly string[]> {
    const names = await asDiskError(() => readdir(this.#path), 'the folder cannot be read');
    return names.filter((name) => DISK_NAME.test(name));
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    return this.#file(name, async (path) => {
      if (range === undefined) return new Uint8Array(await readFile(path));
      const handle = await open(path, 'r');
      try {
        const bytes = new Uint8Array(range.length);
        const { bytesRead } = await handle.read(bytes, 0, range.length, range.offset);
        return bytes.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    });
  }

  size(name: string): Promise<number> {
    return this.#file(name, async (path) => (await stat(path)).size);
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    checkDiskName(name);
    const handle = await this.#growing(name);
    const { size } = await asDiskError(() => handle.stat(), `'${name}' cannot be written`);
    try {
      for (let at = 0; at < bytes.byteLength; )
        at += (await handle.write(bytes, at, bytes.byteLength - at)).bytesWritten;
    } catch (error) {
      if (!isDiskFull(error)) throw failed(error, `'${name}' cannot be written`);
      // Part of it may be there, and must not be when it is said that nothing is.
      await asDiskError(() => handle.truncate(size), `'${name}' cannot be written or cut back`);
      throw new KerfError('DISK_FULL', `no room for ${bytes.byteLength} bytes more: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  sync(name: string): Promise<void> {
    if (this.#open?.name === name) {
      const { handle } = this.#open;
      return asDiskError(() => handle.datasync(), `'${name}' cannot be synced`);
    }
    return this.#file(name, (path) => syncPath(path, constants.O_RDWR));
  }

  syncNames(): Promise<void> {
    // Windows keeps names safe by itself and opens no folders.
    if (process.platform === 'win32') return Promise.resolve();
    return asDiskError(() => syncPath(this.#path, constants.O_RDONLY), 'the folder cannot be synced');
  }

  async remove(name: string): Promise<void> {
    checkDiskName(name);
    if (this.#open?.name === name) await this.#closeGrowing();
    await asDiskError(() => rm(join(this.#path, name), { force: true }), `'${name}' cannot be removed`);
  }

  async close(): Promise<void> {
    await this.#closeGrowing();
    await unlink(join(this.#path, LOCK_NAME)).catch(() => {});
  }

  async #growing(name: string): Promise<FileHandle> {
    if (this.#open?.name === name) return this.#open.handle;
    await this.#closeGrowing();
    try {
      const handle = await open(join(this.#path, name), 'a');
      this.#open = { name, handle };
      return handle;
    } catch (error) {
      if (isDiskFull(error))
        throw new KerfError('DISK_FULL', `no room for a new file: ${messageOf(error)}`, { cause: error });
      throw failed(error, `'${name}' cannot be opened`);
    }
  }

  async #closeGrowing(): Promise<void> {
    const growing = this.#open;
    this.#open = null;
    await growing?.handle.close().catch(() => {});
  }

  async #file<T>(name: string, action: (path: string) => Promise<T>): Promise<T> {
    checkDiskName(name);
    try {
      return await action(join(this.#path, name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw noSuchFile(name);
      throw failed(error, `'${name}' cannot be read`);
    }
  }
}

async function syncPath(path: string, flags: number): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The lock names its holder: one that is gone, or whose number another process has by now, holds nothing. */
async function lock(path: string, folder: string): Promise<void> {
  const file = join(path, LOCK_NAME);
  const mine = JSON.stringify({ pid: process.pid, start: await processStart(process.pid) });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if (isDiskFull(error)) throw new KerfError('DISK_FULL', `no room for the lock of '${folder}'`, { cause: error });
      if (codeOf(error) !== 'EEXIST') throw failed(error, `folder '${folder}' cannot be written`);
    }
    const holder = await holderOf(file);
    if (holder !== null)
      throw new KerfError(
        'DISK_IN_USE',
        `folder '${folder}' is open in process ${holder}; end it, or use another folder`,
      );
    await rm(file, { force: true });
  }
  throw new KerfError('DISK_IN_USE', `folder '${folder}' was just opened by another process`);
}

async function holderOf(file: string): Promise<number | null> {
  try {
    const { pid, start } = JSON.parse(await readFile(file, 'utf8')) as { pid: number; start: string | null };
    process.kill(pid, 0);
    return start === null || start === (await processStart(pid)) ? pid : null;
  } catch (error) {
    // Not ours to signal, but there.
    return codeOf(error) === 'EPERM' ? -1 : null;
  }
}

async function asDiskError<T>(action: () => Promise<T>, what: string): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isDiskFull(error)) throw new KerfError('DISK_FULL', `${what}: ${messageOf(error)}`, { cause: error });
    throw failed(error, what);
  }
}

function failed(error: unknown, what: string): KerfError {
  return KerfError.from(error, 'DISK_FAILED', `${what}: ${messageOf(error)}`);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? '';
}
