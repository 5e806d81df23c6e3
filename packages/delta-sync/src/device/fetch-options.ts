// What fetching a file needs, whichever way it comes.
import type { Clock } from '@kerf/protocol';
import type { MakeHasher } from '../hash.ts';
import type { BaseFile } from './choose-way.ts';
import type { DeviceDisk } from './device-disk.ts';
import type { MirrorSet } from './mirror-set.ts';
import type { DeviceLimits } from './options.ts';

export interface FetchOptions {
  readonly mirrors: MirrorSet;
  readonly slot: DeviceDisk;
  /** The active slot and its files; null on a new device. */
  readonly base: { readonly slot: DeviceDisk; readonly files: readonly BaseFile[] } | null;
  readonly makeHasher: MakeHasher;
  readonly clock: Clock;
  readonly limits: DeviceLimits;
  /** Ends the fetch between two pieces, with what is there kept. */
  readonly signal?: AbortSignal;
  readonly onBytes?: (fetched: number) => void;
}
