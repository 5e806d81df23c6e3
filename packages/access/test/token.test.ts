import { createPublicKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { coversModel, generateTokenKeys, issueToken, keyIdOf, mayInRegistry, tokenVerifier } from '../src/index.ts';
import { isScopeEntry } from '../src/scope.ts';

const keys = generateTokenKeys();
const others = generateTokenKeys();
const publicKey = createPublicKey(keys.publicKeyPem);
const verify = tokenVerifier([publicKey], 'kerf-cloud');
const base = { privateKeyPem: keys.privateKeyPem, subject: 'device-1', models: ['line1/*'], expiresInSeconds: 60 };

describe('tokens', () => {
  it('say what their subject may do in the registry', async () => {
    const grant = await verify(await issueToken({ ...base, registry: ['read', 'publish'] }));
    expect(grant.registry).toEqual(['read', 'publish']);
    expect(mayInRegistry(grant.registry, 'publish')).toBe(true);
    expect(mayInRegistry(grant.registry, 'approve')).toBe(false);
    expect(mayInRegistry(['*'], 'approve')).toBe(true);
    expect((await verify(await issueToken(base))).registry).toEqual([]);
    await expect(issueToken({ ...base, registry: ['admin'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('say who may use what until when', async () => {
    const grant = await verify(await issueToken({ ...base, nowSeconds: Math.floor(Date.now() / 1000) }));
    expect(grant).toMatchObject({ subject: 'device-1', models: ['line1/*'] });
    expect(grant.expiresAtMs! - Date.now()).toBeGreaterThan(50_000);
  });

  it.each([
    ['none', async () => null, 'UNAUTHENTICATED'],
    ['empty', async () => '', 'UNAUTHENTICATED'],
    ['not a token', async () => 'a.b.c', 'UNAUTHENTICATED'],
    ['of another key', () => issueToken({ ...base, privateKeyPem: others.privateKeyPem }), 'UNAUTHENTICATED'],
    ['of another audience', () => issueToken({ ...base, audience: 'elsewhere' }), 'UNAUTHENTICATED'],
    ['of another issuer', () => issueToken({ ...base, issuer: 'someone' }), 'UNAUTHENTICATED'],
    ['not valid yet', () => issueToken({ ...base, notBeforeSeconds: 30 }), 'UNAUTHENTICATED'],
    ['expired', () => issueToken({ ...base, nowSeconds: Math.floor(Date.now() / 1000) - 3600 }), 'TOKEN_EXPIRED'],
    [
      'unsigned',
      async () =>
        new UnsecuredJWT({ models: ['*'] })
          .setSubject('x')
          .setAudience('kerf-cloud')
          .setIssuer('kerf')
          .setExpirationTime('1h')
          .encode(),
      'UNAUTHENTICATED',
    ],
    ['signed with the public key as a secret', () => forged({ alg: 'HS256' }), 'UNAUTHENTICATED'],
  ])('are refused when %s', async (_name, make, code) => {
    await expect(verify(await make())).rejects.toMatchObject({ code });
  });

  it('need a subject, an expiry and a scope', async () => {
    await expect(issueToken({ ...base, subject: '' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(issueToken({ ...base, models: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(issueToken({ ...base, models: ['a*b'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(issueToken({ ...base, expiresInSeconds: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(issueToken({ ...base, privateKeyPem: 'PRIVATE?' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('whose bytes were changed anywhere are refused', async () => {
    const token = await issueToken(base);
    for (let at = 0; at < token.length - 1; at += 7) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      await expect(verify(changed)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });
});

function forged(header: { alg: string }): Promise<string> {
  return new SignJWT({ models: ['*'] })
    .setProtectedHeader({ ...header, kid: keyIdOf(publicKey) })
    .setSubject('x')
    .setAudience('kerf-cloud')
    .setIssuer('kerf')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(keys.publicKeyPem));
}

describe('scopes', () => {
  it.each([
    [['*'], 'a/b', true],
    [['a'], 'a', true],
    [['a'], 'a/b', false],
    [['a'], 'ab', false],
    [['a/*'], 'a/b', true],
    [['a/*'], 'a/b/c', true],
    [['a/*'], 'a', false],
    [['a/*'], 'a/', false],
    [['a/*'], 'ab/c', false],
    [[], 'a', false],
    [['x', 'y'], 'y', true],
  ])('%j and %s: %s', (scope, model, covered) => expect(coversModel(scope, model)).toBe(covered));

  it('hold a star only where it means something', () => {
    expect(['*', 'a', 'a/*', 'a/b/*'].every(isScopeEntry)).toBe(true);
    expect(['', '/*', '**', 'a*', 'a/*/b', '*/a', 5, null].some(isScopeEntry)).toBe(false);
  });
});
