// A file -> a call each time that its content has changed and stands still.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '@kerf/protocol';

/** Looks at the file rather than trusting notices, which editors, mounts and containers lose. */
const LOOK_MS = 500;

/**
 * Calls `onChange` when the content differs from `sha256` and from what it was called for last, and two looks agree.
 * @returns how to end it.
 */
export function watchFile(path: string, sha256: string, clock: Clock, onChange: () => Promise<void>): () => void {
  let told = sha256;
  let last = sha256;
  let isEnded = false;
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    // A file that is away for a moment is being replaced.
    const now = await hashOf(path).catch(() => last);
    const isStill = now === last;
    last = now;
    if (isStill && now !== told) {
      told = now;
      await onChange();
    }
    if (!isEnded) later();
  };
  const later = (): void => {
    cancel = clock.after(LOOK_MS, () => void look());
  };
  later();
  return () => {
    isEnded = true;
    cancel();
  };
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
