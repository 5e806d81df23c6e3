// Error codes -> HTTP statuses, and errors -> bodies that say no more than they should.
import { type ErrorCode, isDiskFull, KerfError } from '@kerf/protocol';

const STATUS_OF: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  RELEASE_INVALID: 400,
  DELTA_MALFORMED: 400,
  TRUST_FAILED: 400,
  METADATA_EXPIRED: 400,
  CLOCK_WRONG: 400,
  MIRROR_UNAVAILABLE: 400,
  CONTENT_MISMATCH: 400,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  ROLLBACK_REFUSED: 409,
  MESSAGE_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  STORE_FAILED: 503,
  OVERLOADED: 503,
  DRAINING: 503,
};

export function statusOf(code: ErrorCode): number {
  return STATUS_OF[code] ?? 500;
}

/** What a caller is told. A fault of ours is told by its code only: its message may name paths. */
export function errorBodyOf(error: unknown): { status: number; json: unknown } {
  const known = KerfError.is(error) && STATUS_OF[error.code] !== undefined ? error : null;
  if (known === null) {
    const message = 'the registry failed; its log says how';
    return { status: 500, json: { error: { code: 'INTERNAL', message, retryable: false } } };
  }
  const { code, retryable, details } = known;
  const message = code === 'STORE_FAILED' ? storeFault(known) : known.message;
  const more = Object.keys(details).length > 0 ? { details } : {};
  return { status: statusOf(code), json: { error: { code, message, retryable, ...more } } };
}

function storeFault({ cause }: KerfError): string {
  const isFull = isDiskFull(cause) || (cause as { readonly code?: unknown } | undefined)?.code === 'SQLITE_FULL';
  return isFull
    ? "the registry's disk is full: nothing was changed; make room there, and try again"
    : 'the database or the blob store of the registry failed';
}
