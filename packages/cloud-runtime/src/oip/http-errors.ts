// A KerfError -> the status and the headers of an HTTP answer, as Triton maps its own.
import { ERROR_CODES, type ErrorCode, type KerfError } from '@kerf/protocol';

const STATUS: Partial<Record<ErrorCode, number>> = {
  MODEL_NOT_FOUND: 404,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  MESSAGE_TOO_LARGE: 413,
  DEADLINE_EXCEEDED: 504,
};

export function statusOf(code: ErrorCode): number {
  const { wire } = ERROR_CODES[code];
  return STATUS[code] ?? (wire >= 700 ? 500 : wire >= 600 ? 503 : 400);
}

/** `Retry-After` in whole seconds, and what a 401 has to say. */
export function errorHeaders({ code, details }: KerfError): Record<string, string> {
  const status = statusOf(code);
  const retryAfterMs = details['retryAfterMs'];
  return {
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {}),
  };
}
