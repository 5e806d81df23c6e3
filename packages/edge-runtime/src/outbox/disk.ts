// The seam to durable storage: flat files of one folder, as small as a disk, OPFS and a simulation have in common.

/**
 * What may be lost at a power cut is what was not synced: bytes after the last `sync` of the file, names after the last
 * `syncNames`. A torn write leaves any prefix of the bytes.
 */
export interface Disk {
  /** Names of the files, in no order. */
  list(): Promise<readonly string[]>;
  /** The whole file, or part of it. @throws {KerfError} FILE_NOT_FOUND. */
  read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  size(name: string): Promise<number>;
  /** Adds to the end of the file, making it where it is not there. @throws {KerfError} DISK_FULL: then nothing was added. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Resolves when the file's bytes are safe. */
  sync(name: string): Promise<void>;
  /** Resolves when files made, renamed and removed are safe as names. */
  syncNames(): Promise<void>;
  truncate(name: string, length: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** No error where it is not there. */
  remove(name: string): Promise<void>;
}
