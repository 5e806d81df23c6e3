// A real web server that checks signatures, drops repetitions by their key, breaks, redirects and never answers.
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ResultRecord, type Sink, type WebhookConfig, webhookShape, webhookSink } from '@kerf/edge-runtime';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { describeSink } from '../../../../test/conformance/sink.ts';
import { deliveryOf } from '../../../../test/conformance/sink-records.ts';
import { makeSink, type StationSinkSetup } from '../../src/node/station/make-sink.ts';
import { sinkSetup } from './support.ts';

const never = new AbortController().signal;

class Receiver {
  readonly records = new Map<string, ResultRecord>();
  readonly requests: { headers: IncomingMessage['headers']; body: string }[] = [];
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end();
  private server: Server | null = null;
  private port = 0;

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.requests.push({ headers: request.headers, body });
        this.records.set(String(request.headers['idempotency-key']), JSON.parse(body) as ResultRecord);
        this.answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/results`;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server === null ? resolve(null) : this.server.close(resolve)));
    this.server = null;
  }
}

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
async function receiver(): Promise<Receiver> {
  const made = new Receiver();
  await made.listen();
  receivers.push(made);
  return made;
}

function open(url: string, given: Partial<Record<keyof WebhookConfig, unknown>> = {}): Sink {
  return webhookSink(webhookShape.read({ url, ...given }, 'sink'), sinkSetup('hook', { KEY: 'secret', TOKEN: 'abc' }));
}

describeSink('webhook', { outage: true, silence: true }, async () => {
  const web = new Receiver();
  await web.listen();
  return {
    open: () => open(web.url),
    received: async () => [...web.records.values()].map(({ resultId, revision }) => [resultId, revision] as const),
    outage: { away: () => web.close(), back: () => web.listen() },
    silence: async () => {
      web.answer = () => undefined;
    },
    dispose: () => web.close(),
  };
});

describe('webhook sink', () => {
  test('sends nothing to a server whose certificate nobody here knows, and says so', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'mes' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    let requests = 0;
    const server = createTlsServer({ cert, key }, (_, response) => {
      requests++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await expect(open(`https://${host}/results`).deliver(deliveryOf(0), never)).rejects.toMatchObject({
        code: 'TLS_UNTRUSTED',
        details: { why: { kind: 'certificate-unknown', host } },
      });
      expect(requests).toBe(0);
    } finally {
      server.close();
    }
  });

  test('posts to a server of its own authority, which may be replaced while the line runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-webhook-'));
    const made = (): ReturnType<typeof generate> =>
      generate([{ name: 'commonName', value: 'mes' }], {
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
      });
    const [first, second] = [await made(), await made()];
    const bodies: string[] = [];
    const server = createTlsServer({ cert: first.cert, key: first.private }, (request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(`${request.method} ${text}`));
      request.on('end', () => response.writeHead(bodies.length > 1 ? 204 : 200).end('taken'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/results`;
    try {
      await writeFile(join(folder, 'ca.pem'), first.cert);
      const config = { name: 'hook', kind: 'webhook', ...webhookShape.read({ url, ca: 'ca.pem' }, 'sink') } as const;
      const sink = makeSink(config, folder, sinkSetup('hook', {}) as unknown as StationSinkSetup);
      await sink.deliver(deliveryOf(0), never);
      server.setSecureContext({ cert: second.cert, key: second.private });
      server.closeAllConnections();
      await expect(sink.deliver(deliveryOf(1), never)).rejects.toMatchObject({ code: 'TLS_UNTRUSTED' });
      await writeFile(join(folder, 'ca.pem'), second.cert);
      await sink.deliver(deliveryOf(1), never);
      expect(bodies).toEqual([0, 1].map((at) => `POST ${JSON.stringify(deliveryOf(at).record)}`));
      expect(() => makeSink({ ...config, ca: 'none.pem' }, folder, {} as StationSinkSetup)).toThrow(/none\.pem/);
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  test('signs the body together with the time, and names the record', async () => {
    const web = await receiver();
    await open(web.url, { secretFrom: 'KEY', tokenFrom: 'TOKEN', headers: { 'x-plant': 'north' } }).deliver(
      deliveryOf(3, { revision: 2 }),
      never,
    );
    const { headers, body } = web.requests[0]!;
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['kerf-signature']))!;
    expect(mac).toBe(createHmac('sha256', 'secret').update(`${seconds}.${body}`).digest('hex'));
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(600);
    expect(headers).toMatchObject({
      'idempotency-key': 'line-1:run:3-2',
      authorization: 'Bearer abc',
      'x-plant': 'north',
      'content-type': 'application/json',
    });
  });

  test.each([
    [500, 'SINK_UNREACHABLE'],
    [503, 'SINK_UNREACHABLE'],
    [429, 'SINK_UNREACHABLE'],
    [400, 'SINK_REFUSED'],
    [401, 'SINK_REFUSED'],
    [404, 'SINK_REFUSED'],
  ])('%i is %s', async (status, code) => {
    const web = await receiver();
    web.answer = (response) => response.writeHead(status, { 'retry-after': '3' }).end('no');
    await expect(open(web.url).deliver(deliveryOf(0), never)).rejects.toMatchObject({
      code,
      details: { status, retryAfterMs: 3000 },
    });
  });

  test('follows no redirect: the record goes to nobody else', async () => {
    const web = await receiver();
    const other = await receiver();
    web.answer = (response) => response.writeHead(307, { location: other.url }).end();
    await expect(open(web.url).deliver(deliveryOf(0), never)).rejects.toMatchObject({ code: 'SINK_REFUSED' });
    expect(other.requests).toEqual([]);
  });

  test('gives up on a server that does not answer, and on an answer without end', async () => {
    const web = await receiver();
    web.answer = () => undefined;
    await expect(open(web.url, { timeout: '80 ms' }).deliver(deliveryOf(0), never)).rejects.toMatchObject({
      code: 'SINK_UNREACHABLE',
      message: expect.stringContaining('80 ms') as string,
    });
    // Nobody reads the body of an answer: one without end costs nothing.
    web.answer = (response) => {
      response.writeHead(200);
      response.write('x'.repeat(100_000));
    };
    await open(web.url).deliver(deliveryOf(1), never);
  });

  test.each([
    ['ftp://127.0.0.1/', 'not an https'],
    ['http://plant.example/', 'unencrypted'],
    ['https://user:word@plant.example/', 'password'],
  ])('refuses %s', (url, why) => {
    expect(() => open(url)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) as string }),
    );
  });

  test('refuses a secret that is not set', () => {
    expect(() => open('https://plant.example/', { secretFrom: 'NOT_SET' })).toThrow('NOT_SET');
  });
});
