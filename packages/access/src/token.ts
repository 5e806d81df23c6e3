// Tokens: who may use which models until when, signed with Ed25519; issued here and verified here.
import { createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { KerfError } from '@kerf/protocol';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { keyIdOf } from './keys.ts';
import {
  CLOUD_PERMISSIONS,
  isCloudPermission,
  isRegistryPermission,
  isScopeEntry,
  REGISTRY_PERMISSIONS,
} from './scope.ts';

export const DEFAULT_AUDIENCE = 'kerf-cloud';
export const DEFAULT_ISSUER = 'kerf';

export interface IssueTokenOptions {
  /** PKCS #8 PEM of the issuer's Ed25519 private key. */
  readonly privateKeyPem: string;
  /** Who the token is for: a device or a station. */
  readonly subject: string;
  /** Model ids, `prefix/*`, or `*`; may be empty where `registry` is not. */
  readonly models: readonly string[];
  /** What the token may do in the registry; none when left out. */
  readonly registry?: readonly string[];
  /** What the token may do with a cloud beyond using models; nothing when left out. */
  readonly cloud?: readonly string[];
  readonly expiresInSeconds: number;
  /** @default 'kerf-cloud' */
  readonly audience?: string;
  /** @default 'kerf' */
  readonly issuer?: string;
  /** The token is not valid for this long yet. @default 0 */
  readonly notBeforeSeconds?: number;
  /** Seconds since 1970. @default now */
  readonly nowSeconds?: number;
}

/** A signed token. @throws {KerfError} INVALID_ARGUMENT. */
export async function issueToken(options: IssueTokenOptions): Promise<string> {
  const { subject, models, registry = [], cloud = [], expiresInSeconds } = options;
  if (subject === '') throw new KerfError('INVALID_ARGUMENT', 'a token needs a subject: who it is for');
  const stray = models.find((entry) => !isScopeEntry(entry));
  if ((models.length === 0 && registry.length === 0) || stray !== undefined) {
    throw new KerfError('INVALID_ARGUMENT', `'${stray ?? ''}' is no model scope; use an id, 'prefix/*' or '*'`);
  }
  const unknown = registry.find((entry) => !isRegistryPermission(entry));
  if (unknown !== undefined) {
    const known = REGISTRY_PERMISSIONS.join(', ');
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${unknown}' is nothing a token may do in the registry; use ${known} or *`,
    );
  }
  const strange = cloud.find((entry) => !isCloudPermission(entry));
  if (strange !== undefined) {
    const known = CLOUD_PERMISSIONS.join(', ');
    throw new KerfError('INVALID_ARGUMENT', `'${strange}' is nothing a token may do with a cloud; use ${known} or *`);
  }
  if (!Number.isSafeInteger(expiresInSeconds) || expiresInSeconds < 1) {
    throw new KerfError('INVALID_ARGUMENT', 'a token needs an expiry of at least 1 second');
  }
  const key = privateKeyOf(options.privateKeyPem);
  const now = options.nowSeconds ?? Math.floor(Date.now() / 1000);
  const claims = {
    models: [...models],
    ...(registry.length > 0 ? { registry: [...registry] } : {}),
    ...(cloud.length > 0 ? { cloud: [...cloud] } : {}),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: keyIdOf(createPublicKey(key)) })
    .setSubject(subject)
    .setAudience(options.audience ?? DEFAULT_AUDIENCE)
    .setIssuer(options.issuer ?? DEFAULT_ISSUER)
    .setIssuedAt(now)
    .setNotBefore(now + (options.notBeforeSeconds ?? 0))
    .setExpirationTime(now + expiresInSeconds)
    .setJti(randomUUID())
    .sign(key);
}

function privateKeyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Not kept as a cause: a parser's message could repeat parts of the key.
    throw new KerfError('INVALID_ARGUMENT', 'the private key is not in PEM form');
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new KerfError('INVALID_ARGUMENT', 'the private key must be Ed25519');
  return key;
}

/** What a valid token says. */
export interface Grant {
  readonly subject: string;
  readonly models: readonly string[];
  /** What the subject may do in the registry. */
  readonly registry: readonly string[];
  /** What the subject may do with a cloud beyond using models. */
  readonly cloud: readonly string[];
  /** The token's id; null without authentication. */
  readonly tokenId: string | null;
  /** Milliseconds since 1970; null without authentication. */
  readonly expiresAtMs: number | null;
}

/** Token -> what it grants. @throws {KerfError} UNAUTHENTICATED, TOKEN_EXPIRED. */
export type VerifyToken = (token: string | null) => Promise<Grant>;

/** Without authentication everyone is the same subject and may use everything. */
export const anyoneMay: VerifyToken = async () => ({
  subject: 'anonymous',
  models: ['*'],
  registry: ['*'],
  cloud: ['*'],
  tokenId: null,
  expiresAtMs: null,
});

/** A verifier for tokens signed by one of `keys`. */
export function tokenVerifier(keys: readonly KeyObject[], audience: string, issuer = DEFAULT_ISSUER): VerifyToken {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  return async (token) => {
    if (token === null)
      throw refused(
        'a token is needed: an edge sends its own (--token-file), HTTP has the header Authorization: Bearer TOKEN',
      );
    let payload: JWTPayload;
    try {
      const key = byId.get(decodeProtectedHeader(token).kid ?? '');
      if (key === undefined) throw refused('the token was signed with a key that this server does not know');
      ({ payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA', 'Ed25519'],
        audience,
        issuer,
        clockTolerance: 5,
        requiredClaims: ['sub', 'exp', 'aud', 'iss'],
      }));
    } catch (error) {
      throw refusalOf(error);
    }
    return grantOf(payload);
  };
}

function grantOf(payload: JWTPayload): Grant {
  const { models, registry = [], cloud = [] } = payload;
  const { sub, exp, jti = null } = payload;
  if (sub === undefined || sub === '' || exp === undefined) throw refused('the token lacks a subject or an expiry');
  if (!Array.isArray(models) || !models.every(isScopeEntry)) throw refused("the token's 'models' claim is not a scope");
  if (!Array.isArray(registry) || !registry.every(isRegistryPermission)) {
    throw refused("the token's 'registry' claim is not a list of permissions");
  }
  if (!Array.isArray(cloud) || !cloud.every(isCloudPermission)) {
    throw refused("the token's 'cloud' claim is not a list of permissions");
  }
  return { subject: sub, models, registry, cloud, tokenId: jti, expiresAtMs: exp * 1000 };
}

function refusalOf(error: unknown): KerfError {
  if (KerfError.is(error)) return error;
  if (error instanceof errors.JWTExpired) {
    return new KerfError('TOKEN_EXPIRED', 'the token has expired; get a fresh one', { cause: error });
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const claim = error.claim === 'nbf' ? 'is not valid yet' : `has the wrong '${error.claim}'`;
    return new KerfError('UNAUTHENTICATED', `the token ${claim}`, { cause: error });
  }
  return new KerfError('UNAUTHENTICATED', 'the token is malformed or its signature does not hold', { cause: error });
}

function refused(message: string): KerfError {
  return new KerfError('UNAUTHENTICATED', message);
}
