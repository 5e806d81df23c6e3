// Who may connect, and what strangers can do: real TLS sockets.
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AuthOptions, type Cloud, generateTokenKeys, type IssueTokenOptions, issueToken } from '../src/index.ts';
import { payload } from './support/client.ts';
import { client, opened, serveModels, type TestCloud } from './support/cloud.ts';
import { floats, powerModel, rowsModel, temporaryFolder, writeModel } from './support/models.ts';

const keys = generateTokenKeys();
const folder = temporaryFolder();
const publicKeyPath = join(folder, 'public.pem');
writeFileSync(publicKeyPath, keys.publicKeyPem);
const auth: AuthOptions = { kind: 'token', publicKeyPaths: [publicKeyPath], audience: 'kerf-cloud' };
const token = (more: Partial<IssueTokenOptions> = {}): Promise<string> =>
  issueToken({
    privateKeyPem: keys.privateKeyPem,
    subject: 'edge',
    models: ['line1/*'],
    expiresInSeconds: 60,
    ...more,
  });

async function protectedCloud(options: Parameters<typeof serveModels>[1] = {}): Promise<TestCloud> {
  const dir = temporaryFolder();
  writeModel(dir, 'line1/rows', rowsModel());
  writeModel(dir, 'line2/rows', rowsModel());
  writeModel(dir, 'line1/power', powerModel(1000));
  return serveModels(dir, { auth, ...options });
}

async function get(cloud: Cloud, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      port: cloud.port,
      host: '127.0.0.1',
      path,
      ca: readFileSync(cloud.certificatePath!),
      agent: false as const,
    };
    request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a token', () => {
  it('opens the models that it covers and no other, whether they exist or not', async () => {
    const cloud = await protectedCloud();
    const edge = await client(cloud).hello(await token());
    await edge.open('line1/rows', { session: 1 });
    await expect(edge.open('line2/rows', { session: 2 })).rejects.toMatchObject({ fault: { code: 'FORBIDDEN' } });
    await expect(edge.open('line3/none', { session: 3 })).rejects.toMatchObject({ fault: { code: 'FORBIDDEN' } });
    await expect(edge.open('line1/none', { session: 4 })).rejects.toMatchObject({ fault: { code: 'MODEL_NOT_FOUND' } });
    edge.frame(1, [
      payload(
        'x',
        floats([1, 64], () => 1),
      ),
    ]);
    await edge.result(1);
  });

  it.each([
    ['missing', async () => null, 'UNAUTHENTICATED'],
    ['foreign', () => token({ privateKeyPem: generateTokenKeys().privateKeyPem }), 'UNAUTHENTICATED'],
    ['for another audience', () => token({ audience: 'other' }), 'UNAUTHENTICATED'],
    ['expired', () => token({ nowSeconds: Math.floor(Date.now() / 1000) - 900 }), 'TOKEN_EXPIRED'],
  ])('that is %s gets a coded fault and the link ends', async (_name, make, code) => {
    const edge = await client(await protectedCloud()).hello(await make());
    expect(await edge.closed()).toBe(1008);
    expect(edge.all('fault')).toMatchObject([{ code, session: null, frame: null }]);
    expect(edge.all('welcome')).toEqual([]);
  });

  it('that expires on the way lets frames in flight end, then the link', async () => {
    const cloud = await protectedCloud({ preload: ['line1/power'] });
    // The verifier grants five seconds for clocks that differ; the link counts from the expiry itself.
    const nowSeconds = Math.floor(Date.now() / 1000);
    const edge = await client(cloud).hello(await token({ nowSeconds: nowSeconds - 57, expiresInSeconds: 60 }));
    await edge.open('line1/power');
    const x = payload(
      'x',
      floats([512, 512], (i) => Math.fround(Math.sin(i) / 512)),
    );
    // It arrives before, and runs for seconds.
    while (Date.now() < (nowSeconds + 3) * 1000 - 700) await settled(20);
    edge.frame(1, [x]);
    await edge.until(() => edge.all('fault').some(({ code }) => code === 'TOKEN_EXPIRED'));
    edge.frame(2, [x]);
    expect(await edge.answer(2)).toMatchObject({ code: 'TOKEN_EXPIRED' });
    expect((await edge.answer(1, 60_000)).type).toBe('result');
    expect(await edge.closed()).toBe(1008);
  });
});

describe('a stranger', () => {
  it('that says nothing is sent away', async () => {
    const cloud = await protectedCloud({ limits: { greetingTimeoutMs: 150 } });
    const edge = await client(cloud).connected();
    await edge.closed();
    expect(edge.all('fault')).toMatchObject([{ code: 'HANDSHAKE_TIMEOUT' }]);
  });

  it('cannot make the cloud hold more than a token needs', async () => {
    const cloud = await protectedCloud();
    const edge = await client(cloud).connected();
    edge.socket.send(Buffer.alloc(10 * 1024 * 1024));
    expect(await edge.closed()).toBe(1006);
    expect(edge.heard).toEqual([]);
  });

  it('leaves places for others: connections without a token are limited, those with one are not counted', async () => {
    const cloud = await protectedCloud({ limits: { maxUnauthenticated: 4 } });
    const known = [];
    for (let count = 0; count < 6; count++) known.push(await client(cloud).hello(await token()));
    const ca = readFileSync(cloud.certificatePath!);
    const idle = Array.from({ length: 12 }, () => tlsConnect({ port: cloud.port, host: '127.0.0.1', ca }));
    const closed = idle.map(
      (socket) => new Promise<void>((resolve) => socket.on('error', () => {}).on('close', () => resolve())),
    );
    await Promise.race(closed);
    await settled(200);
    expect(idle.filter((socket) => !socket.destroyed)).toHaveLength(4);
    for (const edge of known) expect(edge.closeCode).toBe(null);
    idle.forEach((socket) => socket.destroy());
    await Promise.all(closed);
    await settled(50);
    await client(cloud).hello(await token());
  });

  // macOS has no 127.0.0.2.
  it.skipIf(process.platform === 'darwin')('that takes every place gives one up to whoever is elsewhere', async () => {
    const cloud = await protectedCloud({ limits: { maxUnauthenticated: 4 } });
    const ca = readFileSync(cloud.certificatePath!);
    const idle = Array.from({ length: 4 }, () => tlsConnect({ port: cloud.port, host: '127.0.0.1', ca }));
    await Promise.all(
      idle.map((socket) => new Promise((resolve) => socket.on('error', () => {}).on('ready', resolve))),
    );
    const socket = netConnect({ port: cloud.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    const elsewhere = tlsConnect({ socket, servername: 'localhost', ca });
    elsewhere.write('GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const answer = new Promise((resolve, reject) => elsewhere.on('data', resolve).on('error', reject));
    expect(String(await answer)).toContain('HTTP/1.1 200');
    for (const socket of [...idle, elsewhere]) socket.destroy();
  });

  it('needs TLS 1.3 and the subprotocol', async () => {
    const cloud = await protectedCloud();
    const ca = readFileSync(cloud.certificatePath!);
    const old = tlsConnect({ port: cloud.port, host: '127.0.0.1', ca, maxVersion: 'TLSv1.2' });
    await expect(
      new Promise((resolve, reject) => old.on('secureConnect', resolve).on('error', reject)),
    ).rejects.toThrow();
    const plain = new WebSocket(cloud.url, { ca });
    await expect(new Promise((resolve, reject) => plain.on('open', resolve).on('error', reject))).rejects.toThrow(
      /400/,
    );
  });
});

describe('health and metrics', () => {
  it('need no token', async () => {
    const cloud = await protectedCloud({ preload: ['line1/rows'] });
    expect(await get(cloud, '/v2/health/live')).toMatchObject({ status: 200 });
    expect(await get(cloud, '/v2/health/ready')).toMatchObject({ status: 200 });
    expect(await get(cloud, '/line1/rows')).toMatchObject({ status: 404, text: expect.stringContaining('error') });
    const edge = await client(cloud).hello(await token());
    await edge.open('line1/rows');
    for (const frame of [1, 2, 3])
      edge.frame(frame, [
        payload(
          'x',
          floats([2, 64], () => frame),
        ),
      ]);
    for (const frame of [1, 2, 3]) await edge.result(frame);
    edge.frame(4, []);
    await edge.answer(4);
    const { text } = await get(cloud, '/metrics');
    expect(text).toContain('nv_inference_request_success{model="line1/rows",version="1"} 3');
    expect(text).toContain('nv_inference_count{model="line1/rows",version="1"} 6');
    expect(text).toContain('kerf_links 1');
    expect(text).toContain('kerf_sessions 1');
    for (const name of ['nv_inference_exec_count', 'nv_inference_queue_duration_us', 'kerf_received_bytes_total']) {
      expect(text).toMatch(new RegExp(`^${name}`, 'm'));
    }
  });

  it('can have a port of their own, and the main one tells no figures then', async () => {
    const cloud = await protectedCloud({ metrics: { port: 0 } });
    expect(await get(cloud, '/metrics')).toMatchObject({ status: 404 });
    const response = await fetch(`http://127.0.0.1:${cloud.metricsPort}/metrics`);
    expect(await response.text()).toContain('kerf_links 0');
  });
});

it('plain text works on loopback when it is asked for', async () => {
  const dir = temporaryFolder();
  writeModel(dir, 'rows', rowsModel());
  const cloud = await serveModels(dir, { tls: { kind: 'insecure' } });
  expect(cloud.url).toMatch(/^ws:/);
  expect(cloud.certificatePath).toBe(null);
  const edge = await opened(cloud, 'rows');
  edge.frame(1, [
    payload(
      'x',
      floats([1, 64], () => 1),
    ),
  ]);
  await edge.result(1);
});
