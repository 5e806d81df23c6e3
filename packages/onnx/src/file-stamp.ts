// A file -> what differs once it was written, replaced or removed.
import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

const GONE = 'gone';

/** The file as it is now; equal stamps: nothing has happened to it. */
export async function fileStamp(path: string): Promise<string> {
  return textOf(await stat(path, { bigint: true }).catch(() => null));
}

/**
 * Whether a file that a runtime has mapped into its memory was written to where it lies: a run that ends now may have read both
 * versions. A file that was put in its place, or that is gone, leaves what is mapped as it was. One that only got another name or
 * owner counts as written: a model too many is opened anew then.
 */
export function isWrittenInPlace(path: string, seen: string): boolean {
  const now = textOf(statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null);
  return now !== seen && inodeOf(now) === inodeOf(seen);
}

function textOf(stats: BigIntStats | null): string {
  return stats === null ? GONE : `${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.dev}:${stats.ino}`;
}

function inodeOf(stamp: string): string {
  return stamp.split(' ').at(-1) ?? stamp;
}
