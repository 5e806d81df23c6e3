// How long signatures last, by role: short where a key is at hand, long where it lies in a safe.

const DAY_MS = 24 * 3600 * 1000;

/** Days from the signature on. The timestamp's bound is how long a mirror can hold back news unnoticed. */
export const EXPIRY_DAYS = { root: 730, targets: 365, release: 365, snapshot: 90, timestamp: 30 } as const;

export type ExpiryRole = keyof typeof EXPIRY_DAYS;

export function expiryMs(role: ExpiryRole, nowMs: number): number {
  return nowMs + EXPIRY_DAYS[role] * DAY_MS;
}
