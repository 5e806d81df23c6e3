// Bytes -> hex SHA-256, by the platform's own.
import { KerfError } from '@kerf/protocol';

/** @throws {KerfError} BACKEND_UNAVAILABLE in a page that was not loaded in a secure context. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new KerfError('BACKEND_UNAVAILABLE', 'hashes need a secure context: serve the page over https');
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
