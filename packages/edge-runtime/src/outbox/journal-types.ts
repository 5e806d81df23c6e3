// What a journal asks of its owner, what it tells, and what it is set to.
import { KerfError } from '@kerf/protocol';
import type { OutboxOptions } from './options.ts';

export type StorageState =
  | { readonly kind: 'ok' }
  | { readonly kind: 'full'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface JournalHooks {
  /** The frame that stands first in a new segment: all that older ones say and that holds besides what is held of them. */
  checkpoint(): Uint8Array;
  onState(state: StorageState): void;
  /** The disk is full: what may be given up should be. */
  makeRoom(): void;
}

export type JournalOptions = Pick<
  OutboxOptions,
  'syncEveryMs' | 'segmentBytes' | 'reserveBytes' | 'diskRetryMs' | 'clock'
>;

export function isDiskFull(error: unknown): boolean {
  return KerfError.is(error) && error.code === 'DISK_FULL';
}
