// Bytes -> SHA-256: of one piece with the Web Crypto API, of many with a hasher, ours where the host has none that streams.
import { sha256 } from '@noble/hashes/sha2.js';
import type { ByteReader } from './byte-reader.ts';
import { hexOf } from './format/patch-index.ts';

/** A SHA-256 that takes bytes piece by piece. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  hex(): string;
}

export type MakeHasher = () => Hasher;

/** Runs anywhere; Node's own is ten times as fast, and what `@kerf/delta-sync/node` uses. */
export const portableHasher: MakeHasher = () => {
  const hash = sha256.create();
  return { update: (bytes) => hash.update(bytes), hex: () => hexOf(hash.digest()) };
};

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}

const PIECE_BYTES = 1024 * 1024;

/** The hash of everything that a reader gives, in pieces of 1 MiB. */
export async function sha256OfReader(reader: ByteReader, makeHasher: MakeHasher): Promise<string> {
  const hasher = makeHasher();
  for (let at = 0; at < reader.byteLength; at += PIECE_BYTES) {
    hasher.update(await reader.read(at, Math.min(PIECE_BYTES, reader.byteLength - at)));
  }
  return hasher.hex();
}
