// A station that is to end -> every part has its record; or there was no room for one for so long that nobody waits any more.
import type { Clock } from '@kerf/protocol';
import type { Outbox } from '../outbox/outbox.ts';
import type { Station } from './station.ts';

/** How long the end waits for room in the outbox: for a sink that blocks, or a disk that is full or fails. */
export const HELD_LIMIT_MS = 10_000;
const LOOK_MS = 100;

/**
 * Parts that have no record when the wait is over get none, as if the power had gone: nobody was told that they have one, and
 * their sources give them again where they can. What the outbox has taken stays there.
 */
export async function stopStation(
  station: Pick<Station, 'stop'>,
  outbox: Pick<Outbox, 'snapshot' | 'close'>,
  clock: Clock,
): Promise<void> {
  const stopping = station.stop();
  const ended = stopping.then(() => true);
  let heldSinceMs: number | null = null;
  for (;;) {
    const look = new Promise<boolean>((resolve) => void clock.after(LOOK_MS, () => resolve(false)));
    if (await Promise.race([ended, look])) return;
    const nowMs = clock.nowMs();
    heldSinceMs = outbox.snapshot.isHeld ? (heldSinceMs ?? nowMs) : null;
    if (heldSinceMs !== null && nowMs - heldSinceMs >= HELD_LIMIT_MS) break;
  }
  await outbox.close();
  await stopping;
}
