// A KerfError -> the fault message that an edge gets, and the WebSocket code that a link ends with.
import type { ErrorCode, Fault, KerfError } from '@kerf/protocol';

export function faultMessage(error: KerfError, at: Pick<Fault, 'session' | 'frame'>, credits: number): Fault {
  const { code, retryable, details } = error;
  const asked = details['retryAfterMs'];
  // What went wrong inside is for the log; its words may hold more than an edge should see.
  const message = code === 'INTERNAL' ? 'a fault in the cloud; tell its operator' : error.message;
  const retryAfterMs = typeof asked === 'number' ? asked : retryable ? 100 : null;
  return { type: 'fault', ...at, code, message, retryAfterMs, credits };
}

/** RFC 6455, 7.4.1; what is not listed is a matter of policy. */
const CLOSE_CODES: Partial<Record<ErrorCode, number>> = {
  MESSAGE_MALFORMED: 1002,
  MESSAGE_UNEXPECTED: 1002,
  VERSION_UNSUPPORTED: 1002,
  MESSAGE_TOO_LARGE: 1009,
  INTERNAL: 1011,
  OVERLOADED: 1013,
  DRAINING: 1001,
};

export function closeCodeOf(code: ErrorCode): number {
  return CLOSE_CODES[code] ?? 1008;
}
