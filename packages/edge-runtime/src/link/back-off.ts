// Failed attempts -> how long to wait before the next one.
import type { Random } from '@kerf/protocol';

export interface BackOffOptions {
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/**
 * Exponential with full jitter: drawn evenly from 0 to min(max, base * 2^failures), so that a thousand devices which
 * lost the same cloud do not come back in step. What the cloud asked for is a floor.
 */
export function backOffMs(
  failures: number,
  options: BackOffOptions,
  random: Random,
  retryAfterMs: number | null,
): number {
  const ceiling = Math.min(options.backoffMaxMs, options.backoffBaseMs * 2 ** Math.min(failures, 40));
  return Math.min(random() * ceiling + (retryAfterMs ?? 0), MAX_DELAY_MS);
}

/** A cloud cannot send a device away for longer than this. */
const MAX_DELAY_MS = 5 * 60_000;
