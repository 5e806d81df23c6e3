// Headers of a request -> what the protocol reads from them.
import type { IncomingMessage } from 'node:http';
import { KerfError } from '@kerf/protocol';

/** Says, both ways, how many bytes of a body are JSON: binary tensors follow. */
export const HEADER_LENGTH = 'inference-header-content-length';
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** The bearer's token; null where none was sent. */
export function tokenOf({ headers }: IncomingMessage): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

/** W3C `traceparent`; null where it is none. */
export function traceOf({ headers }: IncomingMessage): string | null {
  const trace = headers['traceparent'];
  return typeof trace === 'string' && TRACEPARENT.test(trace) ? trace : null;
}

/** @throws {KerfError} MESSAGE_MALFORMED for what is no number of bytes. */
export function headerLengthOf({ headers }: IncomingMessage): number | null {
  const value = headers[HEADER_LENGTH];
  if (value === undefined) return null;
  if (typeof value !== 'string' || !/^\d{1,12}$/.test(value)) {
    throw new KerfError('MESSAGE_MALFORMED', 'Inference-Header-Content-Length must be a number of bytes');
  }
  return Number(value);
}
