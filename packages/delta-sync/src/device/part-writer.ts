// Bytes as they come -> a part of a file in a slot, which survives any break.
import { KerfError } from '@kerf/protocol';
import { type DeviceDisk, sizeOf } from './device-disk.ts';
import type { DeviceLimits } from './options.ts';

/** What a part will be once it is whole. */
export interface PartFile {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Beside the file, under the hash of what it will be: another release's remains are never taken for this one's. */
export function partName({ sha256 }: Pick<PartFile, 'sha256'>): string {
  return `.part-${sha256}`;
}

/** Appends to a part, syncs it now and then. */
export class PartWriter {
  readonly #disk: DeviceDisk;
  readonly #name: string;
  readonly #bytes: number;
  readonly #limits: DeviceLimits;
  readonly #signal: AbortSignal | undefined;
  #length: number;
  #unsynced = 0;

  private constructor(disk: DeviceDisk, file: PartFile, length: number, limits: DeviceLimits, signal?: AbortSignal) {
    this.#disk = disk;
    this.#name = partName(file);
    this.#bytes = file.bytes;
    this.#length = length;
    this.#limits = limits;
    this.#signal = signal;
  }

  static async open(disk: DeviceDisk, file: PartFile, limits: DeviceLimits, signal?: AbortSignal): Promise<PartWriter> {
    const name = partName(file);
    let length = await sizeOf(disk, name);
    if (length === null) {
      await disk.append(name, new Uint8Array(0));
      length = 0;
    } else if (length > file.bytes) {
      await disk.truncate(name, 0);
      length = 0;
    }
    return new PartWriter(disk, file, length, limits, signal);
  }

  get length(): number {
    return this.#length;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#disk.read(this.#name, { offset, length });
  }

  async cut(length: number): Promise<void> {
    if (length === this.#length) return;
    await this.#disk.truncate(this.#name, length);
    this.#length = length;
  }

  /** @throws {KerfError} CONTENT_MISMATCH for more than the file has, CANCELLED. */
  async write(bytes: Uint8Array): Promise<void> {
    checkAborted(this.#signal);
    if (this.#length + bytes.byteLength > this.#bytes) {
      throw new KerfError('CONTENT_MISMATCH', 'a mirror sent more than the file has');
    }
    for (let at = 0; at < bytes.byteLength; at += this.#limits.pieceBytes) {
      const piece = bytes.subarray(at, at + this.#limits.pieceBytes);
      await this.#disk.append(this.#name, piece);
      this.#length += piece.byteLength;
      this.#unsynced += piece.byteLength;
      if (this.#unsynced >= this.#limits.syncBytes) await this.flush();
    }
  }

  async flush(): Promise<void> {
    await this.#disk.sync(this.#name);
    this.#unsynced = 0;
  }
}

export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new KerfError('CANCELLED', 'the update was stopped; what is fetched is kept');
}
