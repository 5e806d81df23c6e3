// A plain value -> the bytes that a signature covers: canonical JSON as TUF uses it.
import { KerfError } from '@kerf/protocol';

/**
 * Keys ascending by UTF-16 code unit, no spaces, only `"` and `\` escaped, whole numbers only.
 * @throws {KerfError} TRUST_FAILED for what the form cannot say: a fraction, undefined.
 * @see TUF specification 4.2.1, and http://wiki.laptop.org/go/Canonical_JSON
 */
export function canonicalJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(textOf(value));
}

function textOf(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&')}"`;
  if (Number.isSafeInteger(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value !== 'object') throw new KerfError('TRUST_FAILED', 'metadata holds a value that cannot be signed');
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${textOf(key)}:${textOf(item)}`).join(',')}}`;
}
