// HTTP requests of any client of the Open Inference Protocol V2 -> frames of the same runners that sessions use.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { coversModel, type Grant, type VerifyToken } from '@kerf/access';
import { KerfError, type WireLimits } from '@kerf/protocol';
import type { Release } from '../models/catalog.ts';
import type { ModelLease } from '../models/model-pool.ts';
import { sendError, sendJson } from './http-answer.ts';
import { readBody } from './http-body.ts';
import { type InferContext, infer } from './infer.ts';
import { readInferRequest } from './infer-request.ts';
import type { InferResponse } from './infer-response.ts';
import { configOf, EXTENSIONS, metadataOf } from './model-documents.ts';
import { type Endpoint, endpointOf } from './paths.ts';
import { checkCovers, Repository, type RepositoryContext } from './repository.ts';
import { HEADER_LENGTH, headerLengthOf, tokenOf, traceOf } from './request-headers.ts';
import type { StatisticsBook } from './statistics.ts';

export interface OipContext extends InferContext, RepositoryContext {
  readonly version: string;
  readonly verify: VerifyToken;
  readonly wire: WireLimits;
  readonly statistics: StatisticsBook;
  readonly isDraining: () => boolean;
  readonly onBytes: (received: number, sent: number) => void;
}

/** The connection has shown a token that holds. */
export type Admit = (request: IncomingMessage) => void;

/** For an answer to be read, as for a request to come: what it holds is held for no longer. */
const ANSWER_TIMEOUT_MS = 120_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly grant: Grant;
}

export class OipServer {
  readonly #context: OipContext;
  readonly #repository: Repository;
  #pending = 0;

  constructor(context: OipContext) {
    this.#context = context;
    this.#repository = new Repository(context);
  }

  /** Requests whose answer is still to come. */
  get pending(): number {
    return this.#pending;
  }

  /** @returns false where the path is none of the protocol's. */
  handle(path: string, request: IncomingMessage, response: ServerResponse, admit: Admit): boolean {
    let endpoint: Endpoint | null;
    try {
      endpoint = endpointOf(path);
    } catch (error) {
      sendError(response, error);
      return true;
    }
    if (endpoint === null) return false;
    this.#pending++;
    // Not when it is written, but when it is gone: a drain waits for slow readers too.
    response.once('close', () => this.#pending--);
    this.#answer(endpoint, request, response, admit)
      .catch((error: unknown) => {
        this.#logFault(error);
        this.#lastOfConnection(response);
        sendError(response, error);
      })
      // A body that nobody read keeps the connection from its next request.
      .finally(() => request.resume());
    return true;
  }

  async #answer(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse, admit: Admit): Promise<void> {
    checkMethod(endpoint, request.method ?? '');
    const grant = await this.#context.verify(tokenOf(request));
    admit(request);
    if (this.#context.isDraining()) throw new KerfError('DRAINING', 'the cloud is going away; ask another');
    const exchange = { request, response, grant };
    switch (endpoint.kind) {
      case 'server':
        sendJson(response, 200, { name: 'kerf', version: this.#context.version, extensions: EXTENSIONS });
        return;
      case 'index':
        sendJson(response, 200, await this.#repository.index(request, grant));
        return;
      case 'all-stats':
        this.#sendStatistics(exchange, null, null);
        return;
      case 'load':
      case 'unload':
        await this.#repository.control(request, grant, endpoint.kind, endpoint.model);
        sendJson(response, 200, {});
        return;
      case 'stats':
        checkCovers(grant, endpoint.model);
        this.#sendStatistics(exchange, endpoint.model, endpoint.version);
        return;
      case 'metadata':
      case 'ready':
      case 'config':
      case 'infer':
        await this.#model(exchange, endpoint.kind, endpoint.model, endpoint.version);
    }
  }

  async #model(
    exchange: Exchange,
    kind: 'metadata' | 'ready' | 'config' | 'infer',
    model: string,
    version: string | null,
  ): Promise<void> {
    const { response, grant } = exchange;
    checkCovers(grant, model);
    const lease = await this.#lease(model, version);
    try {
      if (kind === 'infer') await this.#infer(exchange, lease);
      else if (kind === 'ready') sendJson(response, 200, { name: model, ready: true });
      else if (kind === 'config') sendJson(response, 200, configOf(lease));
      else sendJson(response, 200, metadataOf(lease, await this.#versionsOf(lease.release)));
    } finally {
      lease.letGo();
    }
  }

  async #infer({ request, response }: Exchange, lease: ModelLease): Promise<void> {
    const { wire, inFlight, onBytes } = this.#context;
    const headerBytes = headerLengthOf(request);
    const maxJsonBytes = this.#context.limits.maxJsonBytes;
    if ((headerBytes ?? 0) > maxJsonBytes) throw tooLarge(`the JSON exceeds ${maxJsonBytes} bytes`);
    const body = await readBody(request, headerBytes === null ? maxJsonBytes : wire.maxMessageBytes, inFlight);
    let answer: InferResponse;
    const abort = new AbortController();
    const gone = (): void => abort.abort();
    response.once('close', gone);
    try {
      const asked = readInferRequest(body.bytes, headerBytes, lease.specs.inputs, wire);
      const caller = { owner: request.socket, trace: traceOf(request), signal: abort.signal };
      answer = await infer(this.#context, lease, asked, caller);
    } finally {
      response.off('close', gone);
      // Before the answer is counted: what has been run is needed no more.
      body.release();
    }
    // Nobody reads it, and what it held would be given back by a `close` that has been.
    if (response.destroyed) return;
    const bytes = answer.body.reduce((sum, part) => sum + part.byteLength, 0);
    this.#hold(response, bytes);
    onBytes(body.bytes.byteLength, bytes);
    this.#lastOfConnection(response);
    response.writeHead(200, {
      'content-type': answer.headerBytes === null ? 'application/json' : 'application/octet-stream',
      'content-length': bytes,
      'cache-control': 'no-store',
      ...(answer.headerBytes === null ? {} : { [HEADER_LENGTH]: answer.headerBytes }),
    });
    for (const part of answer.body) response.write(part);
    response.end();
  }

  /** An answer counts among the bytes of frames until its client has read it, or has taken too long. */
  #hold(response: ServerResponse, bytes: number): void {
    const { inFlight, clock } = this.#context;
    if (!inFlight.tryTake(bytes)) {
      throw new KerfError('OVERLOADED', 'the cloud holds as many bytes of answers as it may; ask again later', {
        details: { retryAfterMs: 1000 },
      });
    }
    const cancel = clock.after(ANSWER_TIMEOUT_MS, () => response.destroy());
    response.once('close', () => {
      cancel();
      inFlight.give(bytes);
    });
  }

  /** A tail is asked for by its id alone: its own split.json says which pair it is. */
  async #lease(model: string, version: string | null): Promise<ModelLease> {
    const { pool } = this.#context;
    if (version === null) return pool.acquire(model, await pool.pairOf(model));
    const numbered = await pool.catalog.versions(model);
    if (numbered.includes(version)) {
      const id = `${model}/${version}`;
      return pool.acquire(id, await pool.pairOf(id));
    }
    const lease = await pool.acquire(model, await pool.pairOf(model));
    if (lease.release.version === version) return lease;
    lease.letGo();
    throw new KerfError('MODEL_NOT_FOUND', `the model has no version ${version}`);
  }

  /** Those that may be asked for: one that was refused is in the repository's index, with the reason. */
  async #versionsOf({ model, version }: Release): Promise<string[]> {
    const { pool } = this.#context;
    const numbered = await pool.catalog.versions(model);
    const served = numbered.filter((one) => one === version || pool.failureOf({ model, version: one }) === null);
    return served.length === 0 ? [version] : served.toReversed();
  }

  #sendStatistics({ response, grant }: Exchange, model: string | null, version: string | null): void {
    const all = this.#context.statistics
      .toJson(model, version)
      .filter(({ release }) => coversModel(grant.models, release.model));
    if (model !== null && all.length === 0)
      throw new KerfError('MODEL_NOT_FOUND', 'no release of the model was loaded');
    sendJson(response, 200, { model_stats: all.map(({ json }) => json) });
  }

  /** A client that keeps its connection would send its next request to a cloud that goes away. */
  #lastOfConnection(response: ServerResponse): void {
    if (this.#context.isDraining() && !response.headersSent) response.setHeader('connection', 'close');
  }

  #logFault(error: unknown): void {
    const { code, message } = KerfError.from(error, 'INTERNAL', 'the request failed');
    const level = code === 'INTERNAL' ? 'error' : 'warn';
    this.#context.log({ level, event: 'request-refused', code, reason: message });
  }
}

function checkMethod({ kind }: Endpoint, method: string): void {
  const wanted =
    kind === 'infer' || kind === 'index' || kind === 'load' || kind === 'unload' ? ['POST'] : ['GET', 'HEAD'];
  if (!wanted.includes(method)) throw new KerfError('MESSAGE_UNEXPECTED', `use ${wanted[0]} here`);
}

function tooLarge(what: string): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', what);
}
