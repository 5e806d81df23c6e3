// A port -> links: TLS, the WebSocket upgrade, and the bounds on connections that have not shown a token.
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { followCertificate, type ServerCertificate, tlsContext } from '@kerf/access';
import { KerfError, messageOf, SUBPROTOCOL } from '@kerf/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Revocable } from '../auth/revocations.ts';
import type { Admit } from '../oip/oip-server.ts';
import { type HttpRoutes, httpHandler } from './http-routes.ts';
import { Link } from './link.ts';
import type { LinkContext } from './link-context.ts';
import { socketTransport } from './socket-transport.ts';
import { Strangers } from './strangers.ts';

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  /** Null: plain text. */
  readonly certificate: ServerCertificate | null;
  readonly routes: HttpRoutes;
  /** Whether a page of this origin may use the cloud; undefined: no page asks. */
  readonly mayCall: (origin: string | undefined) => boolean;
  readonly link: LinkContext;
}

/** Beyond a message's limit, so that a slightly larger one still gets a coded fault and not only a close code. */
const PAYLOAD_MARGIN_BYTES = 64 * 1024;
/** A message of many tiny fragments costs more memory than its bytes. A Node client sends one, browsers a few. */
const MAX_FRAGMENTS = 4096;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** For a body of tensors over a slow link; a stranger is cut off long before. */
const REQUEST_TIMEOUT_MS = 120_000;
/** Nothing moved on an HTTP connection: its client reads no more. */
const STALLED_MS = 120_000;
const IDLE_HTTP_MS = 5000;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #links = new Set<Link>();
  #connections = 0;
  #endFollowing = (): void => {};
  readonly #strangers: Strangers;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#strangers = new Strangers(options.link.limits.maxUnauthenticated);
    this.#server = makeServer(options, (request) => this.#strangers.forget(request.socket));
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.link.wire.maxMessageBytes + PAYLOAD_MARGIN_BYTES,
      maxFragments: MAX_FRAGMENTS,
      // TLS records are at least this large on average, whoever sends them.
      maxBufferedChunks: 1024 + Math.ceil(options.link.wire.maxMessageBytes / 512),
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    this.#server.on('connection', (socket: Socket) => this.#admit(socket));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  }

  get links(): number {
    return this.#links.size;
  }

  /** Open connections, links and those of HTTP. */
  get connections(): number {
    return this.#connections;
  }

  /** @throws {KerfError} INVALID_ARGUMENT when the address is taken or not ours. @returns the port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await listenOn(this.#server, host, port);
    this.#followCertificate();
    return (this.#server.address() as AddressInfo).port;
  }

  #followCertificate(): void {
    const { certificate, link } = this.#options;
    if (certificate === null) return;
    const { clock, wallNowMs, log } = link;
    this.#endFollowing = followCertificate(this.#server as HttpsServer, certificate, {
      clock,
      wallNowMs,
      tell: (event) => log({ level: event.event === 'certificate-replaced' ? 'info' : 'warn', ...event }),
    });
  }

  /** Tells the links to go, spread evenly over `spreadMs`, so that they do not all come back at once somewhere else. */
  goAway(graceMs: number, spreadMs: number, reason: string): void {
    const { clock } = this.#options.link;
    const all = [...this.#links];
    for (const [at, link] of all.entries()) {
      const afterMs = Math.floor((spreadMs * at) / all.length);
      if (afterMs === 0) link.goAway(graceMs, reason);
      else clock.after(afterMs, () => link.goAway(graceMs - afterMs, reason));
    }
  }

  /** Ends links whose token has been revoked. */
  endRevoked(isRevoked: (grant: Revocable) => boolean): void {
    for (const link of this.#links) link.endRevoked(isRevoked);
  }

  /** Frames of all links whose answer is still to come. */
  get pending(): number {
    let count = 0;
    for (const link of this.#links) count += link.pending;
    return count + (this.#options.routes.oip?.pending ?? 0);
  }

  /** Ends every link with a closing handshake, and every connection that does not take part in it. */
  async close(patienceMs: number): Promise<void> {
    this.#endFollowing();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#strangers.destroyAll();
    this.#server.closeAllConnections();
    for (const link of this.#links) link.close(1001, 'DRAINING');
    const cancel = this.#options.link.clock.after(patienceMs, () => {
      for (const link of this.#links) link.terminate();
    });
    await closed;
    cancel();
  }

  /** The raw connection, before TLS. */
  #admit(socket: Socket): void {
    const { limits, clock } = this.#options.link;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    this.#connections++;
    socket.once('close', () => this.#connections--);
    const isIn = this.#strangers.admit(socket, () => clock.after(2 * limits.greetingTimeoutMs, () => socket.destroy()));
    if (isIn) socket.once('close', () => this.#strangers.forget(socket));
    else socket.destroy();
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket;
    if (!this.#options.mayCall(request.headers.origin)) {
      const { origin = '' } = request.headers;
      this.#options.link.log({ level: 'warn', event: 'origin-refused', origin });
      socket.end(`HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (!offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      socket.end(`HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const stopCounting = this.#limitGreeting(socket, head.byteLength);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#adopt(webSocket, socket, stopCounting));
  }

  /** A stranger has room for a token, not for tensors: counted on the socket, before ws collects a message. */
  #limitGreeting(socket: Socket, already: number): () => void {
    let bytes = already;
    const count = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      if (bytes > this.#options.link.limits.maxGreetingBytes) socket.destroy();
    };
    socket.on('data', count);
    return () => socket.off('data', count);
  }

  #adopt(webSocket: WebSocket, socket: Socket, stopCounting: () => void): void {
    const { link: context } = this.#options;
    const transport = socketTransport(webSocket, socket, () => {
      context.metrics.faults.inc({ code: 'MESSAGE_TOO_LARGE' });
      context.log({ level: 'warn', event: 'fault', code: 'MESSAGE_TOO_LARGE', reason: 'a message beyond every limit' });
    });
    const link: Link = new Link(transport, context, {
      onAuthenticated: () => {
        stopCounting();
        this.#strangers.forget(socket);
      },
      onEnd: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }
}

/** A server for health and metrics alone, in plain HTTP. */
export async function listenForMetrics(
  host: string,
  port: number,
  routes: HttpRoutes,
): Promise<{ port: number; close(): void }> {
  const server = createHttpServer(
    SERVER_OPTIONS,
    httpHandler(routes, () => {}),
  );
  await listenOn(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: IDLE_HTTP_MS,
  connectionsCheckingInterval: 2000,
};

function makeServer({ certificate, routes, mayCall, link }: GatewayOptions, admit: Admit): Server {
  const handler = httpHandler(routes, admit, mayCall);
  const server: Server =
    certificate === null
      ? createHttpServer(SERVER_OPTIONS, handler)
      : createHttpsServer(
          {
            ...SERVER_OPTIONS,
            ...tlsContext(certificate),
            handshakeTimeout: link.limits.greetingTimeoutMs,
          },
          handler,
        );
  server.maxConnections = link.limits.maxConnections;
  server.setTimeout(STALLED_MS);
  return server;
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has the port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this machine has no such address',
  EACCES: 'ports below 1024 need a privilege',
};

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = WHY_NOT[cause.code ?? ''] ?? messageOf(cause);
      reject(new KerfError('INVALID_ARGUMENT', `cannot listen on ${host}:${port}: ${why}`, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
  server.on('error', () => {});
}
