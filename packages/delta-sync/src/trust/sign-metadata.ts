// Plain descriptions of roles, and keys -> signed metadata as the repository holds it.
import { KerfError } from '@kerf/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf } from '../format/patch-index.ts';
import { canonicalJson } from './canonical-json.ts';
import { keyIdOf, type TufKey } from './keys.ts';
import {
  type DelegatedRole,
  type MetaFile,
  type RoleKeys,
  SEQUENCE,
  SIGNED_AT,
  SPEC_VERSION,
  type TargetFile,
  type TopRole,
} from './metadata.ts';

/** A private key that can be anywhere: in memory, in a token, behind a service. */
export interface Signer {
  readonly key: TufKey;
  /** 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

interface Body {
  readonly version: number;
  readonly expiresMs: number;
}

export interface RootBody extends Body {
  readonly keys: Iterable<TufKey>;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
}

export interface TargetsBody extends Body {
  readonly targets: ReadonlyMap<string, TargetFile>;
  /** Empty for a role that delegates nothing. */
  readonly roles: readonly DelegatedRole[];
  readonly keys: Iterable<TufKey>;
}

export function rootJson({ keys, roles, ...body }: RootBody): object {
  return { ...common('root', body), consistent_snapshot: true, keys: keysJson(keys), roles };
}

export function targetsJson({ targets, roles, keys, ...body }: TargetsBody): object {
  const files = [...targets].map(([path, { length, sha256: hash, sequence }]) => {
    const custom = sequence === null ? {} : { custom: { [SEQUENCE]: sequence } };
    return [path, { length, hashes: { sha256: hash }, ...custom }];
  });
  const json = { ...common('targets', body), targets: Object.fromEntries(files) as object };
  return roles.length === 0 ? json : { ...json, delegations: { keys: keysJson(keys), roles } };
}

export function snapshotJson({ meta, ...body }: Body & { readonly meta: ReadonlyMap<string, MetaFile> }): object {
  const files = [...meta].map(([name, file]) => [name, metaJson(file)]);
  return { ...common('snapshot', body), meta: Object.fromEntries(files) as object };
}

/** @param signedAtMs the signer's clock: devices hold theirs against it */
export function timestampJson({
  snapshot,
  signedAtMs,
  ...body
}: Body & { readonly snapshot: MetaFile; readonly signedAtMs: number }): object {
  return {
    ...common('timestamp', body),
    meta: { 'snapshot.json': metaJson(snapshot) },
    [SIGNED_AT]: momentText(signedAtMs),
  };
}

/**
 * Signs with every signer. Whether they are enough is for {@link TrustedMetadata} to say, which everything that is signed
 * goes through before it is published.
 * @throws {KerfError} KEY_UNUSABLE without a signer.
 */
export async function signMetadata(signed: object, signers: readonly Signer[]): Promise<Uint8Array> {
  if (signers.length === 0) throw new KerfError('KEY_UNUSABLE', 'there is no key to sign with');
  const message = canonicalJson(signed);
  const signatures: { keyid: string; sig: string }[] = [];
  for (const signer of signers) {
    signatures.push({ keyid: keyIdOf(signer.key), sig: hexOf(await signer.sign(message)) });
  }
  return new TextEncoder().encode(`${JSON.stringify({ signatures, signed }, null, 1)}\n`);
}

/** What a role above says of signed bytes. */
export function metaOfBytes(version: number, bytes: Uint8Array): MetaFile {
  return { version, length: bytes.byteLength, sha256: hexOf(sha256(bytes)) };
}

function common(type: TopRole, { version, expiresMs }: Body): object {
  return { _type: type, spec_version: SPEC_VERSION, version, expires: momentText(expiresMs) };
}

/** Without a fraction of a second, as other clients of TUF ask for. */
function momentText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function keysJson(keys: Iterable<TufKey>): object {
  return Object.fromEntries([...keys].map((key) => [keyIdOf(key), key])) as object;
}

function metaJson({ version, length, sha256: hash }: MetaFile): object {
  return { version, ...(length === null ? {} : { length }), ...(hash === null ? {} : { hashes: { sha256: hash } }) };
}
