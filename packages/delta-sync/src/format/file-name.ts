// The name of a file in a delta -> a name that is safe beside the output, never a path.
import { damaged } from '../damaged.ts';
import { MAX_NAME_BYTES } from './limits.ts';

const STRICT = new TextDecoder('utf-8', { fatal: true });
/** Separators, drive letters, streams, wildcards and control characters, of any system. */
const FORBIDDEN = /[\p{Cc}\p{Cf}/\\:*?"<>|]/u;
/** Names that are devices on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** @throws {KerfError} DELTA_MALFORMED. */
export function checkFileName(bytes: Uint8Array): string {
  let name: string;
  try {
    name = STRICT.decode(bytes);
  } catch {
    throw damaged('the name of a file is not UTF-8');
  }
  if (!isSafeFileName(name)) throw damaged('a file has a name that is no plain file name');
  return name;
}

/** Whether a name can stand in a delta: one part, no dot in front, at most 255 bytes, the same on every system. */
export function isSafeFileName(name: string): boolean {
  const bytes = new TextEncoder().encode(name).byteLength;
  if (bytes === 0 || bytes > MAX_NAME_BYTES || name.startsWith('.') || /[. ]$/.test(name)) return false;
  return !FORBIDDEN.test(name) && !DEVICE.test(name);
}
