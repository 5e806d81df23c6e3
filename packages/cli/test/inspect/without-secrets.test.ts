// What leaves the device with the diagnostics: everything but what may be a secret.
import { describe, expect, test } from 'vitest';
import { diagnosticsBundle } from '../../src/inspect/diagnostics.ts';
import { HIDDEN, withoutSecrets } from '../../src/inspect/without-secrets.ts';

const JWT = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYW0tNyJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ';

describe('secrets', () => {
  test.each([
    ['a key that says so', { password: 'hunter2' }, 'hunter2'],
    ['a number under such a key', { apiKey: 12_345_678 }, '12345678'],
    ['a list under such a key', { tokens: ['abcdef', 'ghijkl'] }, 'ghijkl'],
    ['a token in a sentence', { message: `refused ${JWT}` }, JWT],
    ["a device's credential", { note: 'kd1.cam-7.Zm9vYmFyYmF6' }, 'Zm9vYmFyYmF6'],
    ['a header', { text: 'Authorization: Bearer abcdefgh12345678' }, 'abcdefgh12345678'],
    ['a private key', { text: '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----' }, 'MC4CAQAwBQ'],
    ['a password in an address', { url: 'mqtt://line:s3cr3t@broker:1883' }, 's3cr3t'],
    ['what an address asks with', { url: 'https://hooks.example/x?key=abc123' }, 'abc123'],
  ])('%s', (_, value, secret) => {
    const cleaned = withoutSecrets({ deep: [{ inside: value }] });
    expect(JSON.stringify(cleaned.value)).not.toContain(secret);
    expect(JSON.stringify(cleaned.value)).toContain(HIDDEN);
    expect(cleaned.hidden).toBeGreaterThan(0);
  });

  test('everything else stays, names of files with secrets and hashes among it', () => {
    const value = {
      tokenFile: 'line-3.token',
      url: 'wss://cloud.example:8443/a',
      release: 'ab4e6cf4a7e65da259c5edc49d6f232586e69ab1c2553035e0b0c50e64bd964c',
      secrets: null,
      isPrivate: false,
      scores: [0.25, null, true],
      resultId: 'line-7/m2x8-1a2b3c4d/17',
    };
    expect(withoutSecrets(value)).toEqual({ value, hidden: 0 });
  });
});

test('the bundle is one file, named after station and time, with what was left out counted', () => {
  const found = {
    station: 'line-7',
    config: { sinks: [{ kind: 'webhook', url: 'https://u:p@h/x' }] },
    health: { version: '0.1.0' },
    line: {},
    updates: null,
    audit: {},
    records: [],
  };
  const bundle = diagnosticsBundle(found, new Date('2026-11-26T10:20:30.400Z'));
  expect(bundle).toMatchObject({ fileName: 'kerf-line-7-2026-11-26T102030.json', hidden: 1 });
  expect(JSON.parse(bundle.text)).toMatchObject({ format: 'kerf-diagnostics/1', health: { version: '0.1.0' } });
});
