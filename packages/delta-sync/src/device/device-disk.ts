// The seam to a device's storage: flat files of one folder, as small as a disk, OPFS and a simulation have in common.
import type { ByteReader } from '../byte-reader.ts';
import { type MakeHasher, sha256OfReader } from '../hash.ts';

/**
 * What may be lost at a power cut is what was not synced: bytes after the last `sync` of the file, names after the last
 * `syncNames`. A torn write leaves any prefix of the bytes.
 */
export interface DeviceDisk {
  list(): Promise<readonly string[]>;
  /** The whole file, or part of it. @throws {KerfError} FILE_NOT_FOUND. */
  read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  /** @throws {KerfError} FILE_NOT_FOUND. */
  size(name: string): Promise<number>;
  /** Adds to the end, making the file where it is not there. @throws {KerfError} DISK_FULL. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  sync(name: string): Promise<void>;
  syncNames(): Promise<void>;
  truncate(name: string, length: number): Promise<void>;
  /** Replaces what has the new name. */
  rename(from: string, to: string): Promise<void>;
  /** No error where it is not there. */
  remove(name: string): Promise<void>;
}

/** What a device holds: its state and what it trusts, and two slots of which one runs. */
export interface DeviceStorage {
  readonly state: DeviceDisk;
  readonly slots: readonly [DeviceDisk, DeviceDisk];
}

export async function diskReader(disk: DeviceDisk, name: string): Promise<ByteReader> {
  return {
    byteLength: await disk.size(name),
    read: (offset, length) => disk.read(name, { offset, length }),
  };
}

/** Null when it is not there. */
export async function sizeOf(disk: DeviceDisk, name: string): Promise<number | null> {
  return (await disk.list()).includes(name) ? await disk.size(name) : null;
}

/** Whether a file is there with this length and hash. */
export async function holds(
  disk: DeviceDisk,
  name: string,
  file: { readonly bytes: number; readonly sha256: string },
  makeHasher: MakeHasher,
): Promise<boolean> {
  if ((await sizeOf(disk, name)) !== file.bytes) return false;
  return (await sha256OfReader(await diskReader(disk, name), makeHasher)) === file.sha256;
}

/** A whole file under its name, old or new after a power cut, never half. */
export async function replaceFile(disk: DeviceDisk, name: string, bytes: Uint8Array): Promise<void> {
  const next = `.next-${name}`;
  await disk.remove(next);
  await disk.append(next, bytes);
  await disk.sync(next);
  await disk.rename(next, name);
  await disk.syncNames();
}
