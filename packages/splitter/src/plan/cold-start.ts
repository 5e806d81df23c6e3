// Bytes, one direction of a link and the pause before them -> milliseconds that TCP waits for acknowledgements meanwhile.

/** What a connection that starts anew sends before the first acknowledgement: ten full segments (RFC 6928, section 2). */
const INITIAL_WINDOW_BYTES = 14_480;
/** Least time beyond the round trip after which Linux takes a sender for idle: its retransmission timeout. */
const IDLE_BEYOND_ROUND_TRIP_MS = 200;

export interface ColdTransfer {
  readonly bytes: number;
  readonly bitsPerSecond: number;
  readonly roundTripMs: number;
  /** For how long nothing was sent before. */
  readonly idleMs: number;
}

/**
 * After a pause TCP forgets what the link carries: each retransmission timeout halves the window, down to the initial one
 * (RFC 5681, section 4.1; RFC 2861 as Linux has it). Until the window has doubled up to what a round trip carries,
 * the link stands still for a part of each. A frame lets the window grow by its bytes, to what a round trip carries at most;
 * where every frame is of one size, `n` halvings leave `bytes / (2^n - 1)` of it for the next.
 * @returns milliseconds beside the transfer at full rate and the round trip; 0 for a connection that did not rest.
 */
export function coldStartMs({ bytes, bitsPerSecond, roundTripMs, idleMs }: ColdTransfer): number {
  const halvings = Math.floor(idleMs / (roundTripMs + IDLE_BEYOND_ROUND_TRIP_MS));
  if (halvings < 1) return 0;
  const roundTripBytes = (bitsPerSecond * roundTripMs) / 8000;
  const keptBytes = Math.min(bytes / (2 ** halvings - 1), roundTripBytes / 2 ** halvings);
  let windowBytes = Math.max(INITIAL_WINDOW_BYTES, keptBytes);
  let leftBytes = bytes;
  let stallMs = 0;
  for (;;) {
    const windowMs = (windowBytes * 8000) / bitsPerSecond;
    if (leftBytes <= windowBytes || windowMs >= roundTripMs) return stallMs;
    stallMs += roundTripMs - windowMs;
    leftBytes -= windowBytes;
    windowBytes *= 2;
  }
}
