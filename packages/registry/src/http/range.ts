// The Range and conditional headers of a request for bytes -> which of them to send. RFC 9110, sections 13 and 14.
import type { ByteSpan } from '../blobs/blob-store.ts';

export interface RangeHeaders {
  readonly range?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-range'?: string | undefined;
}

export type RangeAnswer =
  | { readonly status: 200 | 206; readonly span: ByteSpan }
  | { readonly status: 304 }
  | { readonly status: 416 };

/** @param etag with its quotes */
export function rangeOf(headers: RangeHeaders, etag: string, bytes: number): RangeAnswer {
  const known = headers['if-none-match'];
  if (
    known !== undefined &&
    (known === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
  ) {
    return { status: 304 };
  }
  const whole = { status: 200, span: { start: 0, end: bytes } } as const;
  const { range } = headers;
  // A range of something that has changed since would be glued to the wrong bytes.
  if (range === undefined || (headers['if-range'] !== undefined && headers['if-range'] !== etag)) return whole;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  // What is not understood, several ranges among it, is as if it were not there: 14.2.
  if (match === null || (match[1] === '' && match[2] === '')) return whole;
  const span = spanOf(match[1] as string, match[2] as string, bytes);
  return span === null ? { status: 416 } : { status: 206, span };
}

function spanOf(first: string, last: string, bytes: number): ByteSpan | null {
  if (first === '') {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? null : { start: bytes - length, end: bytes };
  }
  const start = Number(first);
  const end = last === '' ? bytes : Math.min(Number(last) + 1, bytes);
  return start < end ? { start, end } : null;
}
