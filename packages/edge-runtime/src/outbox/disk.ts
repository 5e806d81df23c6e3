// The seam to durable storage: flat files of one folder, as small as a disk, OPFS and a simulation have in common.
import { KerfError } from '@kerf/protocol';

/**
 * What may be lost at a power cut is what was not synced: bytes after the last `sync` of the file, names after the last
 * `syncNames`. A torn write leaves any prefix of the bytes, perhaps with garbage behind it. Files only grow and go: there
 * is no truncating and no renaming, so none of it can be interrupted.
 *
 * Names match {@link DISK_NAME}. A failure that is none of the ones named below is `DISK_FAILED`.
 */
export interface Disk {
  /** For people and records, such as `folder` or `indexeddb`. */
  readonly kind: string;
  /** Names of the files, in no order. */
  list(): Promise<readonly string[]>;
  /** The whole file, or part of it; less where the file ends before. @throws {KerfError} FILE_NOT_FOUND, DISK_FAILED. */
  read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  /** @throws {KerfError} FILE_NOT_FOUND, DISK_FAILED. */
  size(name: string): Promise<number>;
  /**
   * Adds to the end of the file, making it where it is not there.
   * @throws {KerfError} DISK_FULL: then nothing was added. DISK_FAILED: then any prefix may have been.
   */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Resolves when the file's bytes are safe. @throws {KerfError} DISK_FAILED: then none of the unsynced ones may be relied on. */
  sync(name: string): Promise<void>;
  /** Resolves when files made and removed are safe as names. @throws {KerfError} DISK_FAILED. */
  syncNames(): Promise<void>;
  /** No error where it is not there. @throws {KerfError} DISK_FAILED. */
  remove(name: string): Promise<void>;
  /** Gives the storage back, for the next one to open it. */
  close(): Promise<void>;
}

export const DISK_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** @throws {KerfError} INVALID_ARGUMENT: a name that some disk could not hold. */
export function checkDiskName(name: string): void {
  if (!DISK_NAME.test(name)) throw new KerfError('INVALID_ARGUMENT', `'${name}' cannot be the name of a stored file`);
}

export function noSuchFile(name: string): KerfError {
  return new KerfError('FILE_NOT_FOUND', `there is no stored file '${name}'`);
}
