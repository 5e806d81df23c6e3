// A file -> a call each time that its content has changed and stands still.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, lookAgain } from '@kerf/protocol';

/** Looks at the file rather than trusting notices, which editors, mounts and containers lose. */
const LOOK_MS = 500;

/**
 * Calls `onChange` when the content differs from `sha256` and from what it was called for last, and two looks agree.
 * @returns how to end it.
 */
export function watchFile(path: string, sha256: string, clock: Clock, onChange: () => Promise<void>): () => void {
  let told = sha256;
  let last = sha256;
  const look = async (): Promise<void> => {
    // A file that is away for a moment is being replaced.
    const now = await hashOf(path).catch(() => last);
    const isStill = now === last;
    last = now;
    if (!isStill || now === told) return;
    told = now;
    await onChange();
  };
  return lookAgain(clock, LOOK_MS, look, () => {});
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
