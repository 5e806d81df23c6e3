// Files in memory: a disk for tests, and for a page whose browser lends no storage. Nothing outlives the process.
import { KerfError } from '@kerf/protocol';
import { checkDiskName, type Disk, noSuchFile } from './disk.ts';

/** @param maxBytes of all files together; one more byte is DISK_FULL. */
export function memoryDisk({ maxBytes = Number.POSITIVE_INFINITY }: { maxBytes?: number } = {}): Disk {
  return new MemoryDisk(maxBytes);
}

class MemoryDisk implements Disk {
  readonly kind = 'memory';
  readonly #maxBytes: number;
  readonly #files = new Map<string, Uint8Array>();
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }

  async read(name: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
    const bytes = this.#file(name);
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length);
  }

  async size(name: string): Promise<number> {
    return this.#file(name).byteLength;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    checkDiskName(name);
    if (this.#used + bytes.byteLength > this.#maxBytes)
      throw new KerfError('DISK_FULL', `no room for ${bytes.byteLength} bytes more in memory`);
    const old = this.#files.get(name) ?? new Uint8Array(0);
    const grown = new Uint8Array(old.byteLength + bytes.byteLength);
    grown.set(old);
    grown.set(bytes, old.byteLength);
    this.#files.set(name, grown);
    this.#used += bytes.byteLength;
  }

  async sync(name: string): Promise<void> {
    this.#file(name);
  }

  async syncNames(): Promise<void> {}

  async remove(name: string): Promise<void> {
    this.#used -= this.#files.get(name)?.byteLength ?? 0;
    this.#files.delete(name);
  }

  async close(): Promise<void> {}

  #file(name: string): Uint8Array {
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw noSuchFile(name);
    return bytes;
  }
}
