// A private key <-> a file that says nothing without its passphrase: scrypt, then AES-256-GCM.
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
  sign,
} from 'node:crypto';
import { KerfError } from '@kerf/protocol';
import { JsonFields } from '../../checked-json.ts';
import { ed25519Key, keyIdOf, type TufKey } from '../../trust/keys.ts';
import type { Signer } from '../../trust/sign-metadata.ts';

const KEY_FORMAT = 'kerf-key/1';

/** 128 MiB and some 0.4 s for each guess. */
export const SCRYPT_N = 2 ** 17;
const SCRYPT = { r: 8, p: 1 } as const;
/** Bounds of what a key file may ask for: more would be an attack on whoever opens it. */
const MAX_SCRYPT_N = 2 ** 20;
const MAX_KEY_FILE_BYTES = 16 * 1024;

/** What a key file says without its passphrase. */
export interface KeyInfo {
  /** Role that it was made for: `root`, `targets`, `snapshot`, `timestamp`, or a model's name. */
  readonly role: string;
  readonly keyid: string;
  readonly key: TufKey;
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** The public half as metadata names it. */
export function publicKeyOf(privateKey: KeyObject): TufKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return ed25519Key(Buffer.from(x as string, 'base64url').toString('hex'));
}

export function signerOf(privateKey: KeyObject): Signer {
  return { key: publicKeyOf(privateKey), sign: async (message) => new Uint8Array(sign(null, message, privateKey)) };
}

/**
 * @param N cost of a guess: a power of two from 2^14 on. Less than the default is for tests
 * @throws {KerfError} KEY_UNUSABLE for an empty passphrase.
 */
export async function writeKeyFile(
  role: string,
  privateKey: KeyObject,
  passphrase: string,
  N = SCRYPT_N,
): Promise<Uint8Array> {
  if (passphrase === '') throw new KerfError('KEY_UNUSABLE', 'a key needs a passphrase that is not empty');
  const key = publicKeyOf(privateKey);
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt, { ...SCRYPT, N }), iv);
  // Role and public key are readable; the tag covers them, so that neither can be exchanged.
  cipher.setAAD(boundText(role, key));
  const data = Buffer.concat([cipher.update(privateKey.export({ format: 'der', type: 'pkcs8' })), cipher.final()]);
  const file = {
    format: KEY_FORMAT,
    role,
    keyid: keyIdOf(key),
    public: key.keyval['public'],
    kdf: { name: 'scrypt', N, ...SCRYPT, salt: salt.toString('hex') },
    cipher: { name: 'aes-256-gcm', iv: iv.toString('hex'), tag: cipher.getAuthTag().toString('hex') },
    data: data.toString('hex'),
  };
  return new TextEncoder().encode(`${JSON.stringify(file, null, 1)}\n`);
}

/** @throws {KerfError} KEY_UNUSABLE. */
export function readKeyInfo(bytes: Uint8Array, name: string): KeyInfo {
  const { role, key } = readFields(bytes, name);
  return { role, key, keyid: keyIdOf(key) };
}

/** @throws {KerfError} KEY_UNUSABLE for a wrong passphrase and a damaged file, which cannot be told apart. */
export async function openKeyFile(bytes: Uint8Array, name: string, passphrase: string): Promise<Signer> {
  const { role, key, salt, N, iv, tag, data } = readFields(bytes, name);
  const derived = await derive(passphrase, salt, { ...SCRYPT, N });
  let privateKey: KeyObject;
  try {
    const decipher = createDecipheriv('aes-256-gcm', derived, iv);
    decipher.setAAD(boundText(role, key));
    decipher.setAuthTag(tag);
    const der = Buffer.concat([decipher.update(data), decipher.final()]);
    privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new KerfError(
      'KEY_UNUSABLE',
      `the key ${name} does not open: the passphrase is wrong, or the file is damaged`,
      { cause },
    );
  }
  if (keyIdOf(publicKeyOf(privateKey)) !== keyIdOf(key)) {
    throw new KerfError('KEY_UNUSABLE', `the key ${name} holds another key than it says`);
  }
  return signerOf(privateKey);
}

function readFields(
  bytes: Uint8Array,
  name: string,
): { role: string; key: TufKey; salt: Buffer; N: number; iv: Buffer; tag: Buffer; data: Buffer } {
  const fields = new JsonFields(`key ${name}`, 'KEY_UNUSABLE');
  if (bytes.byteLength > MAX_KEY_FILE_BYTES) throw fields.fault('it is too long for a key');
  const root = fields.parse(bytes);
  if (root['format'] !== KEY_FORMAT) throw fields.invalid('format', `'${KEY_FORMAT}'`);
  const kdf = fields.record(root['kdf'], 'kdf');
  const cipher = fields.record(root['cipher'], 'cipher');
  fields.choice(kdf['name'], 'kdf.name', ['scrypt']);
  fields.choice(cipher['name'], 'cipher.name', ['aes-256-gcm']);
  const N = fields.integer(kdf['N'], 'kdf.N', 2 ** 14);
  if (N > MAX_SCRYPT_N || (N & (N - 1)) !== 0)
    throw fields.invalid('kdf.N', `a power of two of at most ${MAX_SCRYPT_N}`);
  if (kdf['r'] !== SCRYPT.r || kdf['p'] !== SCRYPT.p) throw fields.invalid('kdf', `r ${SCRYPT.r} and p ${SCRYPT.p}`);
  const hex = (value: unknown, field: string, pattern: RegExp): Buffer =>
    Buffer.from(fields.matching(value, field, pattern, 'hex of the right length'), 'hex');
  return {
    role: fields.text(root['role'], 'role', 64),
    key: ed25519Key(fields.digest(root['public'], 'public')),
    salt: hex(kdf['salt'], 'kdf.salt', /^[0-9a-f]{32}$/),
    N,
    iv: hex(cipher['iv'], 'cipher.iv', /^[0-9a-f]{24}$/),
    tag: hex(cipher['tag'], 'cipher.tag', /^[0-9a-f]{32}$/),
    data: hex(root['data'], 'data', /^([0-9a-f]{2}){32,256}$/),
  };
}

function boundText(role: string, key: TufKey): Buffer {
  return Buffer.from(`${KEY_FORMAT}\n${role}\n${keyIdOf(key)}`);
}

function derive(
  passphrase: string,
  salt: Uint8Array,
  { N, r, p }: { N: number; r: number; p: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, { N, r, p, maxmem: 256 * N * r }, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(new KerfError('KEY_UNUSABLE', 'the key cannot be derived from the passphrase', { cause: error }));
    });
  });
}
