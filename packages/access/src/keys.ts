// Ed25519 key pairs of token issuers: made, written and read as PEM files.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';

/** An issuer's keys as PEM. The cloud needs the public one only; the private one never leaves the issuer. */
export interface TokenKeyPair {
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
  /** Names the key in tokens; derived from the public key. */
  readonly keyId: string;
}

/** A fresh key pair. */
export function generateTokenKeys(): TokenKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keyId: keyIdOf(publicKey),
  };
}

/** First 16 bytes of the SHA-256 of the key's SPKI form, base64url: equal for everyone who holds the key. */
export function keyIdOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest().subarray(0, 16).toString('base64url');
}

/** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT when the file holds no Ed25519 public key. */
export async function readPublicKey(path: string): Promise<KeyObject> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the public key ${path} cannot be read; make one with 'kerf token keys'`, {
      cause,
    });
  }
  return publicKeyOfPem(pem, path);
}

function publicKeyOfPem(pem: string, path: string): KeyObject {
  // A private key also parses as a public one; it has no business on the cloud.
  if (pem.includes('PRIVATE KEY')) {
    throw new KerfError('INVALID_ARGUMENT', `${path} holds a private key; give the cloud the public key`);
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `${path} holds no public key in PEM form`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new KerfError('INVALID_ARGUMENT', `${path} holds a ${key.asymmetricKeyType} key; an Ed25519 key is needed`);
  }
  return key;
}
