// A port -> requests that may be answered: known path, right token, bounded body, not a page of somebody else.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Clock, isLoopback, KerfError, parseUrl, systemClock } from '@kerf/protocol';
import type { HttpDoorConfig } from '../../capture/http-config.ts';
import { listenAddress, listening } from '../listen.ts';
import { followPems, readPems } from './door-certificate.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Aborts when whoever asked has gone. */
  readonly signal: AbortSignal;
}

export interface HttpRoute {
  readonly path: string;
  readonly maxBytes: number;
  answer(request: HttpRequest): Promise<HttpAnswer>;
}

/** How a door looks after its certificate, and to whom it tells that. */
export interface DoorWatch {
  readonly clock: Clock;
  readonly tell: (message: string) => void;
}

/** Requests at a time; one more is told to come again. */
const MAX_REQUESTS = 16;
const MAX_CONNECTIONS = 64;
/** For a request to arrive whole. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Opened by the first of its users, closed by the last. */
export class HttpDoor {
  private readonly config: HttpDoorConfig;
  private readonly token: string | null;
  private readonly address: { readonly host: string; readonly port: number };
  private readonly routes = new Map<string, HttpRoute>();
  private server: Server | null = null;
  private opening: Promise<number> | null = null;
  private readonly watch: DoorWatch;
  private endFollowing: () => void = () => {};
  private inside = 0;

  /** @throws {KerfError} INVALID_ARGUMENT. */
  constructor(config: HttpDoorConfig, token: string | null, watch: DoorWatch = { clock: systemClock, tell: () => {} }) {
    this.config = config;
    this.watch = watch;
    this.token = token;
    this.address = listenAddress(config.listen);
    if (token === null && !config.allowAnyone && !isLoopback(this.address.host)) {
      throw new KerfError(
        'INVALID_ARGUMENT',
        `'${config.listen}' is open to other machines: set tokenFrom, or allowAnyone`,
      );
    }
    if ((config.certificate === null) !== (config.key === null)) {
      throw new KerfError('INVALID_ARGUMENT', 'certificate and key belong together: set both, or none');
    }
  }

  /** The port. @throws {KerfError} INVALID_ARGUMENT when it or the path is taken, FILE_NOT_FOUND for a PEM file. */
  async add(route: HttpRoute): Promise<number> {
    if (this.routes.has(route.path)) throw new KerfError('INVALID_ARGUMENT', `two things want the path ${route.path}`);
    this.routes.set(route.path, route);
    this.opening ??= this.open();
    return this.opening;
  }

  async remove(path: string): Promise<void> {
    this.routes.delete(path);
    const { server } = this;
    if (this.routes.size > 0 || server === null) return;
    this.server = null;
    this.opening = null;
    this.endFollowing();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private open(): Promise<number> {
    const { certificate, key } = this.config;
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.serve(request, response);
    const options = {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS / 3,
      maxHeaderSize: 16_384,
    };
    const paths = certificate === null || key === null ? null : { certificate, key };
    let server: Server;
    if (paths === null) server = createServer(options, serve);
    else {
      const pems = readPems(paths);
      const secure = createTlsServer({ ...options, ...pems }, serve);
      this.endFollowing = followPems(secure, pems, paths, this.watch);
      server = secure;
    }
    server.maxConnections = MAX_CONNECTIONS;
    this.server = server;
    return listening(server, this.address.host, this.address.port);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await this.answerTo(request, gone.signal).catch((error: unknown) => faultAnswer(error));
    // Whatever the sender still sends is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(`${JSON.stringify(answer.body)}\n`, () => {
      if (!request.complete) request.destroy();
    });
  }

  private async answerTo(request: IncomingMessage, signal: AbortSignal): Promise<HttpAnswer> {
    const url = new URL(request.url ?? '/', 'http://door');
    const route = this.routes.get(url.pathname);
    if (!this.isFromHere(request)) return refused(403, 'pages of other sites may not post here');
    if (!this.hasToken(request)) {
      return { ...refused(401, 'the token is missing or wrong'), headers: { 'www-authenticate': 'Bearer' } };
    }
    if (route === undefined) return refused(404, `there is nothing at ${url.pathname.slice(0, 100)}`);
    if (request.method !== 'POST') return { ...refused(405, 'use POST'), headers: { allow: 'POST' } };
    if (this.inside >= MAX_REQUESTS)
      return { ...refused(503, 'too many requests at a time'), headers: { 'retry-after': '1' } };
    this.inside++;
    try {
      const body = await readBody(request, route.maxBytes);
      return await route.answer({ query: url.searchParams, headers: request.headers, body, signal });
    } finally {
      this.inside--;
    }
  }

  /** A form on any page can post to this machine: browsers say where it came from. */
  private isFromHere({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined) return true;
    const url = parseUrl(origin);
    return url !== null && url.host === host;
  }

  private hasToken({ headers }: IncomingMessage): boolean {
    if (this.token === null) return true;
    const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
    return timingSafeEqual(hash(given), hash(this.token));
  }
}

/** @throws {KerfError} MESSAGE_TOO_LARGE before more than `maxBytes` are held. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): KerfError => new KerfError('MESSAGE_TOO_LARGE', `requests may have ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(status: number, message: string): HttpAnswer {
  return { status, body: { error: message } };
}

const STATUSES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  IMAGE_INVALID: 422,
  MESSAGE_TOO_LARGE: 413,
  OVERLOADED: 503,
  CLOSED: 503,
};

function faultAnswer(error: unknown): HttpAnswer {
  if (!KerfError.is(error)) return refused(500, 'a fault in kerf');
  const status = STATUSES[error.code] ?? 500;
  return {
    status,
    body: { error: error.message, code: error.code },
    ...(status === 503 && { headers: { 'retry-after': '1' } }),
  };
}
