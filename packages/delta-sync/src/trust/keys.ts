// Public keys of metadata: their ids, and whether a signature is theirs. Ed25519 only.
import { hashes, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { hexOf } from '../format/patch-index.ts';
import { canonicalJson } from './canonical-json.ts';

// The library leaves SHA-512 to its user: with it, verification needs no secure context and no waiting.
hashes.sha512 = sha512;

/** A key as metadata names it. Other fields than these count for its id too. */
export interface TufKey {
  readonly keytype: string;
  readonly scheme: string;
  /** For ed25519, `public` is 32 bytes in hex. */
  readonly keyval: Readonly<Record<string, unknown>>;
}

/** @param publicHex 32 bytes in hex */
export function ed25519Key(publicHex: string): TufKey {
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicHex } };
}

/** Hex SHA-256 of the key's canonical JSON. @see TUF specification 4.2.2 */
export function keyIdOf(key: TufKey): string {
  return hexOf(sha256(canonicalJson(key)));
}

/** False for any key that is not ed25519, for a wrong signature, and for bytes that are none. */
export function verifySignature(key: TufKey, signatureHex: string, message: Uint8Array): boolean {
  const publicHex = key.keyval['public'];
  if (key.keytype !== 'ed25519' || key.scheme !== 'ed25519' || typeof publicHex !== 'string') return false;
  if (!/^[0-9a-f]{64}$/.test(publicHex) || !/^[0-9a-f]{128}$/.test(signatureHex)) return false;
  try {
    // zip215 off: as RFC 8032 says, so that no key of small order passes.
    return verify(bytesOfHex(signatureHex), message, bytesOfHex(publicHex), { zip215: false });
  } catch {
    return false;
  }
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
