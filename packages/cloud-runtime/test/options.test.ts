import { describe, expect, it } from 'vitest';
import { type CloudOptions, DEFAULT_CLOUD_LIMITS, resolveCloudOptions } from '../src/index.ts';

const least: CloudOptions = { modelsDir: 'models', auth: { kind: 'none' } };
const resolve = (more: object): unknown => resolveCloudOptions({ ...least, ...more } as CloudOptions);

describe('options', () => {
  it('get every default', () => {
    expect(resolveCloudOptions(least)).toMatchObject({
      host: '127.0.0.1',
      port: 8443,
      tls: { kind: 'development', hosts: [] },
      providers: ['cpu'],
      limits: DEFAULT_CLOUD_LIMITS,
      batching: { enabled: true, maxRows: 16 },
    });
  });

  it.each([
    [{ modelDir: 'x' }, /unknown option 'modelDir'/],
    [{ limits: { creditz: 3 } }, /unknown option 'creditz' in limits/],
    [{ wire: { maxMessage: 3 } }, /unknown option 'maxMessage' in wire/],
    [{ tls: { kind: 'files', certPath: 'a' } }, /'tls.keyPath'/],
    [{ tls: { kind: 'none' } }, /'tls.kind'/],
    [{ auth: undefined }, /'auth.kind'/],
    [{ auth: { kind: 'token', publicKeyPaths: [], audience: 'a' } }, /'auth.publicKeyPaths'/],
    [{ port: 65_536 }, /'port'/],
    [{ port: 1.5 }, /'port'/],
    [{ threads: 0 }, /'threads'/],
    [{ providers: [] }, /'providers'/],
    [{ optimizationLevel: 'most' }, /'optimizationLevel'/],
    [{ limits: { credits: 0 } }, /'limits.credits'/],
    [{ limits: { runTimeoutMs: Number.NaN } }, /'limits.runTimeoutMs'/],
    [{ limits: { runTimeoutMs: 2 ** 31 } }, /'limits.runTimeoutMs'/],
    [{ batching: { maxDelayMs: -1 } }, /'batching.maxDelayMs'/],
    [{ batching: { enabled: 'yes' } }, /'batching.enabled'/],
    [{ metrics: { host: 'x' } }, /'metrics.port'/],
    [{ log: 'loud' }, /'log'/],
    [{ host: '0.0.0.0', tls: { kind: 'insecure' } }, /loopback/],
  ])('are refused by name: %j', (options, message) => {
    expect(() => resolve(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  it('permit plain text on loopback, and elsewhere only when forced', () => {
    expect(() => resolve({ tls: { kind: 'insecure' } })).not.toThrow();
    expect(() => resolve({ tls: { kind: 'insecure' }, host: '0.0.0.0', allowInsecureRemote: true })).not.toThrow();
  });
});
