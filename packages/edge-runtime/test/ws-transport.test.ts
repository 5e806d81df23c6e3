// The ws transport on real sockets, plain and over TLS.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SUBPROTOCOL } from '@kerf/protocol';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { describeTransport, Listener } from '../../../test/conformance/transport.ts';
import { browserConnect } from '../src/browser/browser-connect.ts';
import { authorityFile } from '../src/node/authority-file.ts';
import { wsConnect } from '../src/node/ws-connect.ts';
import { wsTransport } from '../src/node/ws-transport.ts';

interface Listening {
  readonly port: number;
  readonly sockets: WebSocketServer;
  readonly server: Server;
}

async function listen(server: Server): Promise<Listening> {
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    maxPayload: 64 << 20,
    handleProtocols: () => SUBPROTOCOL,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, sockets, server };
}

async function certificate(until?: Date): Promise<{ key: string; cert: string }> {
  const names = [{ type: 7 as const, ip: '127.0.0.1' }];
  const made = await generate([{ name: 'commonName', value: 'kerf test' }], {
    keyType: 'ec',
    ...(until !== undefined && { notBeforeDate: new Date(until.getTime() - 86_400_000), notAfterDate: until }),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: names },
    ],
  });
  return { key: made.private, cert: made.cert };
}

async function openPair(listening: Listening, url: string, ca?: string) {
  const accepted = once(listening.sockets, 'connection');
  const left = await wsConnect({ url, ...(ca !== undefined && { ca }) })(new AbortController().signal);
  const [socket] = await accepted;
  return {
    left,
    right: wsTransport(socket),
    sever: () => socket.terminate(),
    async dispose() {
      for (const client of listening.sockets.clients) client.terminate();
      listening.server.close();
      await once(listening.server, 'close');
    },
  };
}

describeTransport('ws', async () => {
  const listening = await listen(createServer());
  return openPair(listening, `ws://127.0.0.1:${listening.port}`);
});

describeTransport('ws over TLS', async () => {
  const { key, cert } = await certificate();
  const listening = await listen(createTlsServer({ key, cert, minVersion: 'TLSv1.3' }));
  return openPair(listening, `wss://127.0.0.1:${listening.port}`, cert);
});

describeTransport('the browser transport, over the WebSocket of ws', async () => {
  // The same interface as a browser's; Chromium itself runs it in test/e2e.
  vi.stubGlobal('WebSocket', WebSocket);
  const listening = await listen(createServer());
  const accepted = once(listening.sockets, 'connection');
  const left = await browserConnect({ url: `ws://127.0.0.1:${listening.port}` })(new AbortController().signal);
  const [socket] = await accepted;
  return {
    left,
    right: wsTransport(socket),
    sever: () => socket.terminate(),
    async dispose() {
      vi.unstubAllGlobals();
      for (const client of listening.sockets.clients) client.terminate();
      listening.server.close();
      await once(listening.server, 'close');
    },
  };
});

describe('connecting', () => {
  const open: Listening[] = [];
  afterEach(() => {
    for (const { server, sockets } of open.splice(0)) {
      for (const client of sockets.clients) client.terminate();
      server.close();
    }
  });
  const attempt = (options: Parameters<typeof wsConnect>[0], signal = new AbortController().signal): Promise<unknown> =>
    wsConnect(options)(signal).then(
      () => 'connected',
      (error: unknown) => error,
    );

  it('refuses a certificate that it does not know, one of another name, and an old TLS', async () => {
    const { key, cert } = await certificate();
    const listening = await listen(createTlsServer({ key, cert }));
    open.push(listening);
    const url = `wss://127.0.0.1:${listening.port}`;
    expect(await attempt({ url })).toMatchObject({ code: 'TLS_UNTRUSTED' });
    expect(await attempt({ url, ca: (await certificate()).cert })).toMatchObject({ code: 'TLS_UNTRUSTED' });
    expect(await attempt({ url: `wss://localhost:${listening.port}`, ca: cert })).toMatchObject({
      code: 'TLS_UNTRUSTED',
    });
    expect(await attempt({ url, ca: cert })).toBe('connected');
    const old = await listen(createTlsServer({ key, cert, maxVersion: 'TLSv1.2' }));
    open.push(old);
    expect(await attempt({ url: `wss://127.0.0.1:${old.port}`, ca: cert })).toMatchObject({ code: 'LINK_LOST' });
  });

  it('trusts the authority that its file names now, and the last one where there is no file', async () => {
    const [old, fresh] = [await certificate(), await certificate()];
    const serve = async ({ key, cert }: typeof old): Promise<string> => {
      const listening = await listen(createTlsServer({ key, cert }));
      open.push(listening);
      return `wss://127.0.0.1:${listening.port}`;
    };
    const [oldUrl, freshUrl] = [await serve(old), await serve(fresh)];
    const folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
    const path = join(folder, 'ca.pem');
    await writeFile(path, old.cert);
    const ca = await authorityFile(path);
    expect(await attempt({ url: oldUrl, ca })).toBe('connected');
    expect(await attempt({ url: freshUrl, ca })).toMatchObject({ code: 'TLS_UNTRUSTED' });
    await writeFile(path, fresh.cert);
    expect(await attempt({ url: freshUrl, ca })).toBe('connected');
    await writeFile(path, '');
    expect(await attempt({ url: freshUrl, ca })).toBe('connected');
    await writeFile(join(folder, 'key.pem'), fresh.key);
    await expect(authorityFile(join(folder, 'key.pem'))).rejects.toThrow(/holds no certificate in PEM form/);
    await rm(folder, { recursive: true });
    expect(await attempt({ url: freshUrl, ca })).toBe('connected');
    await expect(authorityFile(path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('says of a balancer with no cloud behind it that it ends connections', async () => {
    const balancer = createTcpServer((socket) => socket.end());
    balancer.listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    expect(await attempt({ url: `wss://127.0.0.1:${(balancer.address() as AddressInfo).port}` })).toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringContaining('a balancer with no cloud behind it') as string,
    });
    balancer.close();
  });

  it('reports a cloud that is not there, or is none', async () => {
    const listening = await listen(createServer());
    listening.server.close();
    expect(await attempt({ url: `ws://127.0.0.1:${listening.port}` })).toMatchObject({ code: 'LINK_LOST' });
    const plain = createServer((_, response) => response.writeHead(404).end());
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    expect(await attempt({ url: `ws://127.0.0.1:${(plain.address() as AddressInfo).port}` })).toMatchObject({
      code: 'LINK_LOST',
    });
    plain.close();
  });

  it('says of a certificate that is out of date which day it is here', async () => {
    const { key, cert } = await certificate(new Date(Date.now() - 3_600_000));
    const listening = await listen(createTlsServer({ key, cert }));
    open.push(listening);
    expect(await attempt({ url: `wss://127.0.0.1:${listening.port}`, ca: cert })).toMatchObject({
      code: 'TLS_UNTRUSTED',
      message: expect.stringMatching(/CERT_HAS_EXPIRED.*by the clock of this device, which says \d{4}-\d\d-\d\d \d/),
      details: { why: { kind: 'certificate-expired', error: 'CERT_HAS_EXPIRED' } },
    });
  });

  it('tells a login page of the network and a name that nobody knows from a cloud', async () => {
    const portal = createServer((request, response) => {
      if (request.url === '/redirects') response.writeHead(302, { location: 'http://login.example/' }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<html>please log in</html>');
    });
    portal.listen(0, '127.0.0.1');
    await once(portal, 'listening');
    const url = `ws://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    for (const [path, status] of [
      ['', 200],
      ['/redirects', 302],
    ] as const) {
      expect(await attempt({ url: `${url}${path}` })).toMatchObject({
        code: 'LINK_LOST',
        message: expect.stringMatching(new RegExp(`HTTP ${status} from something that is no kerf cloud`)),
      });
    }
    expect(await attempt({ url: url.replace('ws:', 'wss:') })).toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringMatching(/no TLS 1\.3 from what answers/),
    });
    portal.close();
    portal.closeAllConnections();
    expect(await attempt({ url: 'wss://cloud.invalid:8443' })).toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringMatching(/cloud\.invalid:8443: the network does not know this name now/),
    });
  });

  it('says of an answer that is no kerf cloud what to look at', async () => {
    const answers = [
      'SSH-2.0-OpenSSH_9.6\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: AAAA\r\n\r\n',
      `HTTP/1.1 101 Switching Protocols\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
    ];
    for (const answer of answers) {
      const other = createTcpServer((socket) => socket.on('error', () => {}).once('data', () => socket.write(answer)));
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      expect(await attempt({ url: `ws://127.0.0.1:${(other.address() as AddressInfo).port}` })).toMatchObject({
        code: 'LINK_LOST',
        message: expect.stringMatching(/no kerf cloud answers there \(.+\); check the port/),
      });
      other.close();
    }
  });

  it('stops when it is told to', async () => {
    const silent = createServer();
    silent.on('upgrade', () => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const abort = new AbortController();
    const end = attempt({ url: `ws://127.0.0.1:${(silent.address() as AddressInfo).port}` }, abort.signal);
    setTimeout(() => abort.abort(), 50);
    expect(await end).toMatchObject({ code: 'LINK_LOST' });
    silent.close();
    silent.closeAllConnections();
  });

  it('refuses URLs that it cannot use, and plain text to other machines', () => {
    for (const url of [
      '',
      'cloud',
      'http://127.0.0.1/',
      'ws://cloud.example/',
      'ws://10.0.0.1:9',
      'ws://127.0.0.1.example/',
    ]) {
      expect(() => wsConnect({ url }), url).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    for (const url of ['ws://localhost:1', 'ws://127.8.0.1:1', 'ws://[::1]:1', 'wss://cloud.example/'])
      wsConnect({ url });
    wsConnect({ url: 'ws://10.0.0.1:9', allowPlainText: true });
  });
});

test.each(['ws', 'wss'])('over %s, bytes of a message that is not whole yet are seen to come', async (scheme) => {
  const { key, cert } = await certificate();
  const listening = await listen(scheme === 'ws' ? createServer() : createTlsServer({ key, cert }));
  const accepted = once(listening.sockets, 'connection');
  const pair = await openPair(listening, `${scheme}://127.0.0.1:${listening.port}`, cert);
  const [, request] = (await accepted) as [WebSocket, IncomingMessage];
  const listener = new Listener(pair.left);
  const before = pair.left.receivedBytes ?? Number.NaN;
  // RFC 6455 section 5.2: a binary message of 1 MB, of which a half comes.
  request.socket.write(
    Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]), Buffer.alloc(500_000)]),
  );
  await vi.waitFor(() => expect((pair.left.receivedBytes ?? 0) - before).toBeGreaterThanOrEqual(500_000));
  expect(listener.messages).toEqual([]);
  await pair.dispose();
});

describe('a peer that misbehaves', () => {
  it('ends the connection when it sends text, or more than the limit', async () => {
    const listening = await listen(createServer());
    for (const send of ['text', new Uint8Array(2000)]) {
      const accepted = once(listening.sockets, 'connection');
      const left = await wsConnect({ url: `ws://127.0.0.1:${listening.port}`, maxMessageBytes: 1000 })(
        new AbortController().signal,
      );
      const listener = new Listener(left);
      const [socket] = await accepted;
      socket.send(send);
      await listener.until(() => listener.closes.length === 1);
      expect(listener.messages).toEqual([]);
    }
    listening.server.close();
  });

  it('does not hold a closed connection open', async () => {
    const server = createServer();
    const { createHash } = await import('node:crypto');
    server.on('upgrade', (request, socket) => {
      // Shakes hands, then never reads or answers again.
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
      );
      socket.pause();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const transport = await wsConnect({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` })(
      new AbortController().signal,
    );
    const listener = new Listener(transport);
    transport.close(1000, 'x'.repeat(500));
    await listener.until(() => listener.closes.length === 1, 6000);
    expect(listener.closes).toHaveLength(1);
    server.close();
    server.closeAllConnections();
  });
});
