// A server whose certificate is replaced while it runs: real TLS, a clock of the test.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, connect as tlsConnect } from 'node:tls';
import type { Clock } from '@kerf/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type CertificateEvent,
  certificateFromFiles,
  developmentCertificate,
  followCertificate,
  type ServerCertificate,
  tlsContext,
} from '../src/index.ts';

const DAY_MS = 86_400_000;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-certificate-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A server that follows, and one look of it. */
async function following(certificate: ServerCertificate, wallNowMs = Date.now) {
  const server: Server = createServer(tlsContext(certificate), (socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const waiting: (() => void)[] = [];
  const clock: Clock = { nowMs: () => 0, after: (_, task) => (waiting.push(task), () => {}) };
  const events: CertificateEvent[] = [];
  const stop = followCertificate(server, certificate, { clock, wallNowMs, tell: (event) => events.push(event) });
  cleanups.push(stop, () => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    events,
    port,
    look: async (): Promise<void> => {
      waiting.shift()?.();
      while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
}

/** A connection that trusts this certificate alone. */
async function connected(port: number, { certPem }: ServerCertificate) {
  const socket = tlsConnect({ port, host: '127.0.0.1', ca: certPem });
  cleanups.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

test('a development certificate is its own authority for every TLS library: it may be said to have issued itself', async () => {
  const certificate = new X509Certificate((await developmentCertificate(temporaryFolder(), [])).certPem);
  expect(certificate.checkIssued(certificate)).toBe(true);
});

describe('certificate files', () => {
  test('that are replaced serve from the next connection on, and those that stand go on', async () => {
    const folder = temporaryFolder();
    const old = await developmentCertificate(join(folder, 'old'), []);
    const fresh = await developmentCertificate(join(folder, 'fresh'), []);
    const put = (from: string, name: 'cert' | 'key'): void =>
      copyFileSync(join(folder, from, `dev-${name}.pem`), join(folder, `${name}.pem`));
    put('old', 'cert');
    put('old', 'key');
    const served = await certificateFromFiles(join(folder, 'cert.pem'), join(folder, 'key.pem'));
    const { port, look, events } = await following(served);
    const standing = await connected(port, old);
    await look();
    // Half of the pair: nothing is said of a moment, once of a state.
    put('fresh', 'cert');
    await look();
    expect(events).toEqual([]);
    for (let at = 0; at < 3; at++) await look();
    expect(events).toEqual([{ event: 'certificate-unusable', reason: expect.stringContaining('not the private key') }]);
    await connected(port, old);
    put('fresh', 'key');
    await look();
    expect(events.slice(1)).toEqual([{ event: 'certificate-replaced', validTo: expect.stringMatching(/^20.*Z$/) }]);
    await connected(port, fresh);
    await expect(connected(port, old)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    standing.write('still here');
    expect(String((await once(standing, 'data'))[0])).toBe('still here');
  });

  test('that nobody replaces are told of, once a day, from two weeks before the end', async () => {
    const folder = temporaryFolder();
    await developmentCertificate(folder, []);
    const served = await certificateFromFiles(join(folder, 'dev-cert.pem'), join(folder, 'dev-key.pem'));
    let wallMs = Date.now();
    const { look, events } = await following(served, () => wallMs);
    for (const days of [10, 77.2, 77.4, 78.2, 91]) {
      wallMs = Date.now() + days * DAY_MS;
      await look();
    }
    expect(events.map(({ event }) => event)).toEqual(Array(3).fill('certificate-ends'));
  });
});

describe('the development certificate', () => {
  test('is renewed in its last day while a server runs, and trusted by the file', async () => {
    const folder = temporaryFolder();
    const old = await developmentCertificate(folder, [], Date.now() - 89.5 * DAY_MS);
    const { port, look, events } = await following(old);
    await look();
    expect(events.map(({ event }) => event)).toEqual(['certificate-replaced']);
    await connected(port, await developmentCertificate(folder, []));
  });

  test('is the one before again once a clock that was ten years ahead is right: edges trust that one', async () => {
    const folder = temporaryFolder();
    const first = await developmentCertificate(folder, []);
    const ahead = await developmentCertificate(folder, [], Date.now() + 3650 * DAY_MS);
    expect(ahead.certPem).not.toBe(first.certPem);
    const { port, look } = await following(ahead);
    await look();
    await connected(port, first);
    expect((await developmentCertificate(folder, [])).certPem).toBe(first.certPem);
  });

  test('stays where a machine starts with a clock that was never set: edges know it by its file', async () => {
    const folder = temporaryFolder();
    const { certPem } = await developmentCertificate(folder, []);
    expect((await developmentCertificate(folder, [], 60_000)).certPem).toBe(certPem);
  });

  test('stays while it lasts, also when its files are lost', async () => {
    const folder = temporaryFolder();
    const old = await developmentCertificate(join(folder, 'state'), [], Date.now() - 80 * DAY_MS);
    rmSync(join(folder, 'state'), { recursive: true });
    expect((await old.renewed()).certPem).toBe(old.certPem);
  });
});
