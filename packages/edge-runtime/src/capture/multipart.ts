// The body of a multipart/form-data request (RFC 7578) -> its fields.
import { KerfError } from '@kerf/protocol';

export interface FormField {
  readonly name: string;
  /** Null for a field that is no file. */
  readonly fileName: string | null;
  readonly bytes: Uint8Array;
}

/** Fields of one form; a camera sends two or three. */
const MAX_FIELDS = 32;
const MAX_HEADER_BYTES = 4096;

/**
 * Views into `body`, nothing is copied.
 * @throws {KerfError} INVALID_ARGUMENT for a body that is not what its type says.
 */
export function readMultipart(body: Uint8Array, contentType: string): FormField[] {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  if (boundary === null) throw malformed('its type names no boundary');
  const delimiter = new TextEncoder().encode(`--${boundary[1] ?? boundary[2]}`);
  const fields: FormField[] = [];
  let at = indexOf(body, delimiter, 0);
  if (at < 0) throw malformed('the boundary is not in it');
  for (;;) {
    at += delimiter.byteLength;
    if (body[at] === DASH && body[at + 1] === DASH) return fields;
    if (body[at] !== CR || body[at + 1] !== LF) throw malformed('a boundary does not end its line');
    if (fields.length === MAX_FIELDS) throw malformed(`it has more than ${MAX_FIELDS} fields`);
    const headersEnd = indexOf(body, BLANK_LINE, at);
    if (headersEnd < 0 || headersEnd - at > MAX_HEADER_BYTES) throw malformed('a field has no end of its headers');
    const start = headersEnd + BLANK_LINE.byteLength;
    const next = indexOf(body, withLineBreak(delimiter), start);
    if (next < 0) throw malformed('it is cut off');
    const headers = new TextDecoder().decode(body.subarray(at, headersEnd));
    fields.push({ ...dispositionOf(headers), bytes: body.subarray(start, next) });
    at = next + 2;
  }
}

const CR = 13;
const LF = 10;
const DASH = 45;
const BLANK_LINE = Uint8Array.of(CR, LF, CR, LF);

function withLineBreak(delimiter: Uint8Array): Uint8Array {
  return Uint8Array.of(CR, LF, ...delimiter);
}

function dispositionOf(headers: string): { name: string; fileName: string | null } {
  const line = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(headers)?.[1] ?? '';
  const name = /;\s*name="([^"]*)"/i.exec(line)?.[1];
  if (name === undefined) throw malformed('a field has no name');
  return { name, fileName: /;\s*filename="([^"]*)"/i.exec(line)?.[1] ?? null };
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.byteLength > bytes.byteLength) return -1;
    if (wanted.every((value, index) => bytes[at + index] === value)) return at;
  }
  return -1;
}

function malformed(why: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `the form cannot be read: ${why}`);
}
