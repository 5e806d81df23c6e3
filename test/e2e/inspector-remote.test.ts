// The Inspector from another machine: over TLS, an address for each role, the same ones after a restart.
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { developmentCertificate } from '@kerf/access';
import { BRIDGE_SUBPROTOCOL, type BridgeState, MAX_ENVELOPE_BYTES, openBridge } from '@kerf/bridge';
import { KERF_BIN } from '@kerf/cli';
import { wsConnect } from '@kerf/edge-runtime/node';
import { systemClock } from '@kerf/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { browserTest } from '../support/browser-test.ts';
import { soon } from './support/inspecting.ts';
import { runKerf } from './support/run-kerf.ts';

interface Listening {
  readonly url: string;
  readonly addresses: readonly { readonly role: string; readonly url: string }[];
  readonly fingerprint: string;
}

let folder = '';
const children: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-remote-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The demo line, for every address of this machine. */
function inspect(...args: string[]): Promise<Listening> {
  return kerfInspect('--host', '0.0.0.0', '--port', '0', '--state', join(folder, 'state'), ...args);
}

async function kerfInspect(...args: string[]): Promise<Listening> {
  const child = spawn(process.execPath, [KERF_BIN, 'inspect', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const text of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const event = JSON.parse(text) as Listening & { event: string };
    if (event.event === 'listening') return event;
  }
  throw new Error('kerf inspect ended before it listened');
}

const secretOf = (url: string): string => new URL(url).pathname.replaceAll('/', '');

/** The status of a request, and for an upgrade 101. */
function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { rejectUnauthorized: false, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    outgoing.on('error', reject).end();
  });
}

async function fingerprintOf(url: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** What a page hears first of its line. */
async function firstState(page: string): Promise<BridgeState> {
  const { origin, pathname } = new URL(page);
  const connect = wsConnect({
    url: `${origin.replace('http', 'ws')}${pathname}bridge`,
    subprotocol: BRIDGE_SUBPROTOCOL,
    origin,
    maxMessageBytes: MAX_ENVELOPE_BYTES,
  });
  const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
  const state = await new Promise<BridgeState>((resolve) =>
    bridge.onState((told) => told.kind !== 'connecting' && resolve(told)),
  );
  bridge.close();
  return state;
}

describe('the Inspector on a network', () => {
  const withBrowser = browserTest();

  withBrowser('shows the line over TLS, and each address gives its role', async (browser) => {
    const { addresses } = await inspect('--role', 'viewer', '--role', 'engineer');
    expect(new Set(addresses.map(({ role }) => role))).toEqual(new Set(['viewer', 'engineer']));
    for (const { role, url } of [addresses[0], addresses.at(-1)] as Listening['addresses']) {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        hasTouch: true,
        viewport: { width: 800, height: 1100 },
      });
      const page = await context.newPage();
      await page.goto(url);
      await soon(() => page.locator('.tile').getAttribute('data-verdict'), { timeout: 90_000 }).toMatch(
        /^(PASS|REVIEW|NG)$/,
      );
      const pause = page.getByRole('button', { name: 'Pause' });
      if (role === 'engineer') await soon(() => pause.isEnabled({ timeout: 1000 })).toBe(true);
      else expect(await pause.count()).toBe(0);
      await context.close();
    }
  });

  test('keeps addresses and certificate over a restart, until new ones are asked for', async () => {
    const first = await inspect();
    expect(first.addresses.every(({ role, url }) => role === 'operator' && url.startsWith('https://'))).toBe(true);
    expect(first.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const second = await inspect();
    expect(secretOf(second.url)).toBe(secretOf(first.url));
    expect(second.fingerprint).toBe(first.fingerprint);
    const renewed = await inspect('--new-keys');
    expect(secretOf(renewed.url)).not.toBe(secretOf(first.url));
    expect(await statusOf(renewed.url)).toBe(200);
    expect(await statusOf(renewed.url.replace(secretOf(renewed.url), secretOf(first.url)))).toBe(404);
  });

  test('a page of elsewhere does not reach the line, whatever it knows; a certificate that is replaced is followed', async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = async (name: string): Promise<string> => {
      const { certPem, keyPem } = await developmentCertificate(join(folder, name), []);
      await writeFile(cert, certPem);
      await writeFile(key, keyPem);
      return new X509Certificate(certPem).fingerprint256;
    };
    const first = await put('first');
    const { url, fingerprint } = await inspect('--cert', cert, '--cert-key', key);
    expect([fingerprint, await fingerprintOf(url)]).toEqual([first, first]);
    const second = await put('second');
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
      'sec-websocket-protocol': 'kerf-bridge.v1',
    };
    expect(await statusOf(`${url}bridge`, { ...upgrade, origin: 'https://elsewhere.invalid' })).toBe(403);
    expect(
      await statusOf(`${url.replace(secretOf(url), 'abcd-abcd-abcd-abcd-abcd')}bridge`, {
        ...upgrade,
        origin: new URL(url).origin,
      }),
    ).toBe(403);
    await soon(() => fingerprintOf(url), { timeout: 30_000 }).toBe(second);
  });

  test('another machine shows it as a line of its own by the certificate that --ca names, and by no other', async () => {
    const far = await inspect('--role', 'operator');
    const hall = await kerfInspect(far.url, '--ca', join(folder, 'state/dev-cert.pem'));
    // The one at the hall's page is its engineer; the address gives less.
    expect(await firstState(hall.url)).toMatchObject({
      kind: 'connected',
      hello: { station: 'demo', role: 'operator' },
    });
    const other = join(folder, 'other');
    await developmentCertificate(other, []);
    for (const args of [[], ['--ca', join(other, 'dev-cert.pem')]]) {
      const wary = await kerfInspect(far.url, ...args);
      expect(await firstState(wary.url)).toMatchObject({
        kind: 'away',
        code: 'TLS_UNTRUSTED',
        cause: { kind: 'certificate-unknown', host: new URL(far.url).host },
      });
    }
  });

  test('what only a network needs is refused without one', async () => {
    for (const args of [['--state', 'x'], ['--new-keys'], ['--cert', 'a', '--cert-key', 'b']]) {
      const { status, stderr } = await runKerf(['inspect', ...args], { cwd: folder });
      expect(status).toBe(2);
      expect(stderr).toMatch(/is for --host/);
    }
    const { stderr } = await runKerf(['inspect', '--host', '0.0.0.0', '--cert', 'a'], { cwd: folder });
    expect(stderr).toMatch(/--cert and --cert-key go together/);
  });
});
