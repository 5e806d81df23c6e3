// A device's disk -> where it keeps the metadata that it trusts.
import type { MetadataStore } from '../trust/update-trust.ts';
import { type DeviceDisk, replaceFile, sizeOf } from './device-disk.ts';

/** Beside the device's state; names are prefixed, so that no role can be called like another file. */
export function diskStore(disk: DeviceDisk): MetadataStore {
  const nameOf = (name: string): string => `trust-${name}`;
  return {
    read: async (name) => ((await sizeOf(disk, nameOf(name))) === null ? null : await disk.read(nameOf(name))),
    write: (name, bytes) => replaceFile(disk, nameOf(name), bytes),
  };
}
