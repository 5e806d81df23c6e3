// A registry whose certificate does not hold, for each reason: the caller learns which, and sends it no credential.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { RegistryClient } from '@kerf/registry';
import { generate } from 'selfsigned';
import { afterEach, expect, test } from 'vitest';

const DAY_MS = 86_400_000;

let server: Server | null = null;
let requests = 0;

afterEach(() => {
  server?.close();
  server = null;
});

interface Made {
  readonly ip?: string;
  /** Of its last day. */
  readonly endsMs?: number;
}

/** A server with a certificate of its own. @returns its address and that certificate */
async function serve({ ip = '127.0.0.1', endsMs = DAY_MS }: Made): Promise<{ url: string; cert: string }> {
  requests = 0;
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'registry' }], {
    notBeforeDate: new Date(Date.now() - 9 * DAY_MS),
    notAfterDate: new Date(Date.now() + endsMs),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }],
  });
  const made = createServer({ cert, key }, (_, response) => {
    requests++;
    response.end('{}');
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return { url: `https://127.0.0.1:${(made.address() as AddressInfo).port}`, cert };
}

test('the one that is known, for this name and today, is taken', async () => {
  const { url, cert } = await serve({});
  await new RegistryClient({ url, credential: 'secret', ca: cert }).json('GET', '/');
  expect(requests).toBe(1);
});

test.each([
  ['certificate-unknown', {}, false],
  ['certificate-expired', { endsMs: -DAY_MS }, true],
  ['certificate-other-name', { ip: '192.0.2.1' }, true],
] as const)('%s', async (kind, made, isKnown) => {
  const { url, cert } = await serve(made);
  const client = new RegistryClient({ url, credential: 'secret', ...(isKnown ? { ca: cert } : {}) });
  await expect(client.json('GET', '/')).rejects.toMatchObject({
    code: 'TLS_UNTRUSTED',
    details: { why: { kind, host: new URL(url).host } },
  });
  expect(requests).toBe(0);
});
