// A table of routes below a secret path -> an http or https server with the headers that a measuring page needs.
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KerfError, messageOf, parseUrl } from '@kerf/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

/** What a path answers: a file as it is, bytes, JSON, or what `handle` makes of a posted JSON. */
export type Route =
  | { readonly kind: 'file'; readonly path: string; readonly cache: boolean }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'post'; readonly maxBytes: number; handle(json: unknown): Promise<unknown> };

/** PEM texts, and how the server keeps to files that are replaced while it runs, where it is to. */
export interface PageCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** @returns how to end it. */
  follow?(server: TlsServer): () => void;
}

export interface PageServerOptions {
  readonly host: string;
  readonly port: number;
  /** Null serves plain http. */
  readonly tls: PageCertificate | null;
  /** Any of them opens the page. */
  readonly secrets: readonly string[];
  /** By path below `/SECRET/`; '' is the page itself. */
  readonly routes: ReadonlyMap<string, Route>;
  /** WebSockets below `/SECRET/`, for pages of this server only. */
  readonly sockets?: SocketRoutes;
}

export interface SocketRoutes {
  readonly subprotocol: string;
  readonly maxMessageBytes: number;
  /** By path. */
  readonly accept: ReadonlyMap<string, AcceptSocket>;
}

/** @param secret the one that opened it. @param from address of the other end */
export type AcceptSocket = (socket: WebSocket, secret: string, from: string) => void;

export interface PageServer {
  readonly port: number;
  /** Answers in flight get a moment, then everything is closed. */
  close(): Promise<void>;
}

/** Connections at once: a page with its workers needs a dozen, one over several lines a socket for each as well. */
const MAX_CONNECTIONS = 256;
/** A request, its body included, on the slowest network that a profile is posted over. */
const REQUEST_TIMEOUT_MS = 120_000;
const CLOSE_GRACE_MS = 1000;
/** A tablet that has left the network says nothing, and a page that shows a quiet line sends nothing: its place is freed. */
const ALIVE = { keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/**
 * Cross-origin isolation gives the page exact clocks and WebAssembly threads; nothing from elsewhere is loaded, and
 * nothing is sent elsewhere.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** @throws {KerfError} INVALID_ARGUMENT when the address cannot be listened on. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { host, port, tls } = options;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    respond(options, request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server =
    tls === null
      ? createServer(ALIVE, answer)
      : createTlsServer({ ...ALIVE, cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.3' }, answer);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = options.sockets === undefined ? null : socketDoor(server, options.secrets, options.sockets);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `cannot listen on ${host}, port ${port}: ${messageOf(cause)}`, { cause });
  }
  const endFollowing = tls?.follow?.(server as TlsServer);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      endFollowing?.();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets?.clients ?? []) socket.close(1001, 'the page ends');
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** A page of another origin must not reach it, even where somebody gave the secret away in a link. */
function socketDoor(
  server: HttpServer | TlsServer,
  secrets: readonly string[],
  { subprotocol, maxMessageBytes, accept }: SocketRoutes,
): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { given, path } = partsOf(request);
    const taken = path === null ? undefined : accept.get(path);
    const { origin = '', host = '' } = request.headers;
    const isOwn = parseUrl(origin)?.host === host;
    const secret = matching(given, secrets);
    if (secret === null || taken === undefined || !isOwn) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connected) =>
      taken(connected, secret, request.socket.remoteAddress ?? ''),
    );
  });
  return sockets;
}

async function respond(
  { secrets, routes }: PageServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { given, path } = partsOf(request);
  const route = path !== null && matching(given, secrets) !== null ? routes.get(path) : undefined;
  if (route === undefined) return end(response, 404, 'not found\n');
  const method = route.kind === 'post' ? 'POST' : 'GET';
  if (request.method !== method) return end(response, 405, `use ${method}\n`, { allow: method });
  if (route.kind === 'file') return sendFile(route, response);
  if (route.kind === 'bytes') return end(response, 200, route.bytes, { 'content-type': 'application/octet-stream' });
  if (route.kind === 'json') return endJson(response, 200, route.value);
  try {
    endJson(response, 200, await route.handle(await readJson(request, route.maxBytes)));
  } catch (error) {
    const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
    endJson(response, code === 'MESSAGE_TOO_LARGE' ? 413 : 422, { code, message }, { connection: 'close' });
  }
}

/** `/SECRET/PATH?...` -> the two; null where no slash follows the secret. */
function partsOf({ url = '/' }: IncomingMessage): { readonly given: string; readonly path: string | null } {
  const [, given = '', ...rest] = url.split('?', 1)[0]?.split('/') ?? [];
  return { given, path: rest.length > 0 ? rest.join('/') : null };
}

/** In the same time wherever they differ and whichever it is; hashing makes the lengths equal. */
function matching(given: string, secrets: readonly string[]): string | null {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(given);
  return secrets.filter((secret) => timingSafeEqual(wanted, digest(secret)))[0] ?? null;
}

async function sendFile({ path, cache }: Route & { kind: 'file' }, response: ServerResponse): Promise<void> {
  const { size } = await stat(path);
  response.writeHead(200, {
    ...HEADERS,
    'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    'content-length': size,
    'cache-control': cache ? 'private, max-age=3600' : 'no-store',
  });
  // A file that grows meanwhile would break the length that was promised.
  await pipeline(size === 0 ? [] : createReadStream(path, { end: size - 1 }), response);
}

/** @throws {KerfError} MESSAGE_TOO_LARGE, MESSAGE_MALFORMED. */
async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const tooLarge = new KerfError('MESSAGE_TOO_LARGE', `more than ${maxBytes} bytes were posted`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (cause) {
    throw new KerfError('MESSAGE_MALFORMED', 'what was posted is no JSON', { cause });
  }
}

function endJson(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  end(response, status, JSON.stringify(value), { 'content-type': 'application/json', ...headers });
}

function end(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  const type = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  response.writeHead(status, { ...HEADERS, ...type, ...headers }).end(body);
}
