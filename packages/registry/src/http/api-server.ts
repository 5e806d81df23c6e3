// A port -> answered requests: limits, who calls, which route, what it takes; errors without paths or stacks.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { followCertificate, type ServerCertificate, tlsContext, type VerifyToken } from '@kerf/access';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import { sendAnswer } from './answer.ts';
import { actorOf, callerOf, requireAccess } from './authenticate.ts';
import { announcedLength, BodyBudget, readJson } from './body.ts';
import { RateLimit } from './rate-limit.ts';
import { type Answer, BYTES, type Call, type Caller, type Route } from './route.ts';
import { type Found, Router } from './router.ts';
import { faultOf } from './schema.ts';
import { errorBodyOf } from './status.ts';

/** One line for operators. */
export type RegistryLog = (event: Readonly<Record<string, unknown>> & { readonly event: string }) => void;

export interface ApiServerOptions {
  readonly context: RegistryContext;
  readonly routes: readonly Route[];
  readonly verify: VerifyToken;
  readonly host: string;
  readonly port: number;
  /** Null: plain text. */
  readonly certificate: ServerCertificate | null;
  readonly log: RegistryLog;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #router: Router;
  readonly #server: Server;
  readonly #budget: BodyBudget;
  readonly #rate: RateLimit;
  readonly #refusals: RateLimit;
  #uploads = 0;
  #endFollowing = (): void => {};

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#router = new Router(options.routes);
    const { limits, wallNowMs } = options.context;
    this.#budget = new BodyBudget(limits.maxBodyBytesInFlight);
    const shared = { maxKeys: limits.maxRateKeys, nowMs: wallNowMs };
    this.#rate = new RateLimit({ ...shared, burst: limits.burstRequests, perSecond: limits.requestsPerSecond });
    this.#refusals = new RateLimit({
      ...shared,
      burst: limits.burstRefusals,
      perSecond: limits.refusalsPerMinute / 60,
    });
    this.#server = this.#createServer();
  }

  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(new KerfError('INVALID_ARGUMENT', `port ${port} cannot be used: ${messageOf(cause)}`, { cause }));
      });
      this.#server.listen(port, host, resolve);
    });
    const { certificate, context, log } = this.#options;
    if (certificate !== null) {
      this.#endFollowing = followCertificate(this.#server as HttpsServer, certificate, {
        clock: systemClock,
        wallNowMs: context.wallNowMs,
        tell: log,
      });
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers what has begun, for up to `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#endFollowing();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  #createServer(): Server {
    const { certificate, context } = this.#options;
    const { maxHeaderBytes, maxConnections, idleTimeoutMs } = context.limits;
    // A request may take as long as its upload does; what stands still is cut off below.
    const shared = { maxHeaderSize: maxHeaderBytes, requestTimeout: 0, headersTimeout: 15_000 };
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#answer(request, response);
    };
    const server =
      certificate === null
        ? createHttpServer(shared, onRequest)
        : createHttpsServer({ ...shared, ...tlsContext(certificate) }, onRequest);
    server.maxConnections = maxConnections;
    server.setTimeout(idleTimeoutMs);
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isHead = request.method === 'HEAD';
    // A body whose reading was given up takes the socket from its request.
    const { socket } = request;
    try {
      await sendAnswer(response, await this.#handle(request), isHead);
    } catch (error) {
      this.#sendError(request, response, error, isHead);
    } finally {
      // A body that nobody read: the connection cannot be used again.
      if (!request.complete) {
        response.once('finish', () => socket.destroySoon());
        request.resume();
      }
    }
  }

  #sendError(request: IncomingMessage, response: ServerResponse, error: unknown, isHead: boolean): void {
    const { status, json } = errorBodyOf(error);
    if (status >= 500) {
      const { method = '', url = '' } = request;
      this.#options.log({ event: 'request-failed', method, path: url.split('?')[0], message: messageOf(error) });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const retry = status === 429 || status === 503 ? { 'retry-after': String(retrySeconds(error)) } : {};
    const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    const close = request.complete ? {} : { connection: 'close' };
    void sendAnswer(response, { status, json, headers: { ...retry, ...challenge, ...close } }, isHead);
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const found = this.#router.find(request.method ?? '', request.url ?? '');
    const caller = await this.#callerOf(request, found.route);
    const actor = actorOf(caller);
    return this.#withBody(request, found, caller, actor, (call) => found.route.handle(call));
  }

  /** Strangers share the rate of their address; wrong credentials have one of their own. */
  async #callerOf(request: IncomingMessage, { access }: Route): Promise<Caller> {
    const address = request.socket.remoteAddress ?? '';
    refuseFor(this.#refusals.peek(address), 'too many wrong credentials came from this address');
    try {
      const { context, verify } = this.#options;
      const caller = await callerOf(context.database, verify, request.headers.authorization);
      const actor = actorOf(caller);
      refuseFor(this.#rate.take(actor === 'anonymous' ? address : actor), 'requests come too fast');
      requireAccess(access, caller);
      return caller;
    } catch (error) {
      if (KerfError.is(error) && error.code === 'UNAUTHENTICATED') this.#refusals.take(address);
      throw error;
    }
  }

  async #withBody(
    request: IncomingMessage,
    { route, path, query }: Found,
    caller: Caller,
    actor: string,
    use: (call: Call) => Promise<Answer>,
  ): Promise<Answer> {
    const { limits } = this.#options.context;
    const headers = request.headers as Call['headers'];
    const call = { path, query, headers, caller, actor };
    if (route.body === undefined) return use({ ...call, body: null, upload: null });
    if (route.body !== BYTES) {
      const body = await readJson(request, route.maxBodyBytes ?? limits.maxJsonBytes, this.#budget);
      const fault = faultOf(route.body, body);
      if (fault !== null) throw new KerfError('INVALID_ARGUMENT', fault);
      return use({ ...call, body, upload: null });
    }
    const bytes = announcedLength(request, limits.maxBlobBytes);
    if (this.#uploads >= limits.maxUploads) {
      throw new KerfError('OVERLOADED', `${limits.maxUploads} uploads are under way: try again`);
    }
    this.#uploads += 1;
    try {
      return await use({ ...call, body: null, upload: { bytes, source: wholeBody(request) } });
    } finally {
      this.#uploads -= 1;
    }
  }
}

/** A sender that goes away in the middle is no fault of ours. */
async function* wholeBody(request: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of request) yield chunk as Uint8Array;
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', 'the upload was broken off', { cause });
  }
}

function retrySeconds(error: unknown): number {
  const seconds = KerfError.is(error) ? error.details['retryAfterSeconds'] : null;
  return typeof seconds === 'number' ? seconds : 5;
}

function refuseFor(seconds: number, why: string): void {
  if (seconds === 0) return;
  throw new KerfError('RATE_LIMITED', `${why}: try again in ${seconds} s`, { details: { retryAfterSeconds: seconds } });
}
