// A disk in memory that keeps apart what is written and what is safe, and loses what a real one may lose at a power cut.
import type { Disk } from '@kerf/edge-runtime';
import { KerfError, type Random } from '@kerf/protocol';

interface File {
  bytes: Uint8Array;
  length: number;
  /** So many bytes of the beginning are safe. */
  syncedLength: number;
}

export type DiskOperation = 'list' | 'read' | 'size' | 'append' | 'sync' | 'syncNames' | 'remove';

/** Decides about an operation before it is done: `fail` and `full` throw; `cut` is the power; `forget` is a sync that is none. */
export type DiskFate = 'ok' | 'fail' | 'full' | 'cut' | 'forget';

export interface SimulatedDiskOptions {
  readonly random: Random;
  readonly fate?: (operation: DiskOperation, name: string) => DiskFate;
  /** Bytes of all files together. */
  readonly maxBytes?: number;
  /** Called for each operation; lets it take time. */
  readonly delay?: () => Promise<void>;
}

/** What is left after a power cut; a new {@link SimulatedDisk} starts from it. */
export type Platter = ReadonlyMap<string, Uint8Array>;

export class SimulatedDisk implements Disk {
  readonly kind = 'simulated';
  operations = 0;
  maxBytes: number;
  readonly #options: SimulatedDiskOptions;
  readonly #files = new Map<string, File>();
  /** What the folder says that is safe. */
  readonly #safeNames = new Map<string, File>();
  #isCut = false;

  constructor(options: SimulatedDiskOptions, platter: Platter = new Map()) {
    this.#options = options;
    this.maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    for (const [name, bytes] of platter) {
      const file = { bytes: bytes.slice(), length: bytes.byteLength, syncedLength: bytes.byteLength };
      this.#files.set(name, file);
      this.#safeNames.set(name, file);
    }
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get usedBytes(): number {
    let used = 0;
    for (const { length } of this.#files.values()) used += length;
    return used;
  }

  async list(): Promise<readonly string[]> {
    await this.#begin('list', '');
    return [...this.#files.keys()];
  }

  async read(name: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
    await this.#begin('read', name);
    const { bytes, length } = this.#file(name);
    if (range === undefined) return bytes.slice(0, length);
    return bytes.slice(range.offset, Math.min(length, range.offset + range.length));
  }

  async size(name: string): Promise<number> {
    await this.#begin('size', name);
    return this.#file(name).length;
  }

  async append(name: string, added: Uint8Array): Promise<void> {
    const bytes = added.slice();
    const decided = await this.#decide('append', name);
    const fate = decided === 'forget' ? 'ok' : decided;
    if (fate === 'full' || this.usedBytes + bytes.byteLength > this.maxBytes)
      throw new KerfError('DISK_FULL', 'simulated: the disk is full');
    // A write that the power cut or a failure interrupts leaves any part of itself.
    const whole = fate === 'ok';
    const kept = whole ? bytes.byteLength : Math.floor(this.#options.random() * (bytes.byteLength + 1));
    this.#grow(name, bytes.subarray(0, kept));
    if (!whole) throw this.#failure(fate, 'append', name);
  }

  async sync(name: string): Promise<void> {
    const fate = await this.#decide('sync', name);
    if (fate === 'forget') return;
    if (fate !== 'ok') {
      // As Linux does: what a failed sync did not write is called clean, and is not.
      throw this.#failure(fate, 'sync', name);
    }
    const file = this.#file(name);
    file.syncedLength = file.length;
  }

  async syncNames(): Promise<void> {
    await this.#begin('syncNames', '');
    this.#safeNames.clear();
    for (const [name, file] of this.#files) this.#safeNames.set(name, file);
  }

  async remove(name: string): Promise<void> {
    await this.#begin('remove', name);
    this.#files.delete(name);
  }

  async close(): Promise<void> {}

  /** A process that is killed: what it wrote is there, safe or not. Operations that come later fail. */
  kill(): Platter {
    this.#isCut = true;
    return new Map([...this.#files].map(([name, { bytes, length }]) => [name, bytes.slice(0, length)]));
  }

  /**
   * Loss of power: of unsynced bytes any beginning is left, with or without garbage behind it; of names made and removed
   * since the last `syncNames` each may have happened or not.
   */
  cut(): Platter {
    this.#isCut = true;
    const { random } = this.#options;
    const names = new Map(this.#safeNames);
    for (const [name, file] of this.#files) if (!names.has(name) && random() < 0.5) names.set(name, file);
    for (const name of names.keys()) if (!this.#files.has(name) && random() < 0.5) names.delete(name);
    return new Map([...names].map(([name, file]) => [name, this.#torn(file)]));
  }

  #torn({ bytes, length, syncedLength }: File): Uint8Array {
    const { random } = this.#options;
    const kept = syncedLength + Math.floor(random() * (length - syncedLength + 1));
    const left = bytes.slice(0, kept);
    if (kept === length || random() < 0.5) return left;
    // The length was written and the bytes were not, or others were.
    const longer = new Uint8Array(length);
    longer.set(left);
    if (random() < 0.5) for (let at = kept; at < length; at++) longer[at] = Math.floor(random() * 256);
    return longer;
  }

  #grow(name: string, bytes: Uint8Array): void {
    let file = this.#files.get(name);
    if (file === undefined) this.#files.set(name, (file = { bytes: new Uint8Array(256), length: 0, syncedLength: 0 }));
    const length = file.length + bytes.byteLength;
    if (length > file.bytes.byteLength) {
      const larger = new Uint8Array(2 * length);
      larger.set(file.bytes.subarray(0, file.length));
      file.bytes = larger;
    }
    file.bytes.set(bytes, file.length);
    file.length = length;
  }

  async #begin(operation: DiskOperation, name: string): Promise<void> {
    const fate = await this.#decide(operation, name);
    if (fate !== 'ok' && fate !== 'forget') throw this.#failure(fate, operation, name);
  }

  async #decide(operation: DiskOperation, name: string): Promise<DiskFate> {
    await this.#options.delay?.();
    this.operations++;
    if (this.#isCut) return 'cut';
    const fate = this.#options.fate?.(operation, name) ?? 'ok';
    if (fate === 'cut') this.#isCut = true;
    return fate;
  }

  #failure(fate: DiskFate, operation: DiskOperation, name: string): KerfError {
    if (fate === 'full') return new KerfError('DISK_FULL', 'simulated: the disk is full');
    return new KerfError('DISK_FAILED', `simulated: ${fate} at ${operation} ${name}`);
  }

  #file(name: string): File {
    const file = this.#files.get(name);
    if (file === undefined) throw new KerfError('FILE_NOT_FOUND', `there is no stored file '${name}'`);
    return file;
  }
}
