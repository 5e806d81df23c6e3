// Finished spans -> OTLP over HTTP in JSON, in batches from a bounded queue; for edges and clouds alike.

import type { Clock } from './clock.ts';
import { KerfError } from './errors.ts';
import { parseUrl } from './parse-url.ts';

export type SpanAttribute = string | number | boolean;

/** A span that has ended. */
export interface FinishedSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, SpanAttribute>>;
  /** Null: it went well. */
  readonly error: string | null;
}

/** Sends a body. @returns the HTTP status. */
export type PostTraces = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<number>;

export interface SpanExporterOptions {
  /** Base address of a collector, such as `http://localhost:4318`; spans go to its `/v1/traces`. */
  readonly endpoint: string;
  /** Sent with each request, for a collector that wants to know who it is. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `service.name` of the resource. */
  readonly serviceName: string;
  /** Further attributes of the resource. */
  readonly resource?: Readonly<Record<string, SpanAttribute>>;
  readonly clock: Clock;
  /** @default fetch, given up after ten seconds */
  readonly post?: PostTraces;
  /** Spans that wait; more are dropped and counted. @default 4096 */
  readonly maxQueued?: number;
  /** Spans of one request. @default 512 */
  readonly maxBatch?: number;
  /** Longest that a span waits for company. @default 2000 */
  readonly intervalMs?: number;
}

const KINDS = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;
const POST_TIMEOUT_MS = 10_000;

/** Never throws and never waits for the network: what finds the queue full is dropped. */
export class SpanExporter {
  readonly #options: Required<Omit<SpanExporterOptions, 'endpoint'>>;
  readonly #url: string;
  #queue: FinishedSpan[] = [];
  #inFlight = 0;
  #dropped = 0;
  #sending: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;

  /** @throws {KerfError} INVALID_ARGUMENT when the endpoint is no HTTP address. */
  constructor(options: SpanExporterOptions) {
    const { endpoint, ...rest } = options;
    this.#url = urlOf(endpoint);
    this.#options = {
      headers: {},
      resource: {},
      post: postWithFetch,
      maxQueued: 4096,
      maxBatch: 512,
      intervalMs: 2000,
      ...rest,
    };
  }

  /** Spans that were dropped: the queue was full, or the collector refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  add(span: FinishedSpan): void {
    if (this.#closed || this.#queue.length + this.#inFlight >= this.#options.maxQueued) {
      this.#dropped++;
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= this.#options.maxBatch) void this.flush();
    else this.#flushLater();
  }

  /** Sends what waits, one batch after the other; what a collector that is away did not take stays. */
  async flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#queue.length > 0) this.#flushLater();
    });
    await this.#sending;
  }

  /** Sends what waits once more, and takes nothing more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    this.#cancel?.();
    this.#dropped += this.#queue.length;
    this.#queue = [];
  }

  #flushLater(): void {
    if (this.#closed || this.#cancel !== null) return;
    this.#cancel = this.#options.clock.after(this.#options.intervalMs, () => {
      this.#cancel = null;
      void this.flush();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxBatch);
      this.#inFlight = batch.length;
      const outcome = await this.#send(batch);
      this.#inFlight = 0;
      if (outcome === 'refused') this.#dropped += batch.length;
      if (outcome !== 'away') continue;
      this.#queue = [...batch, ...this.#queue];
      return;
    }
  }

  /** Of the statuses, OTLP lets a client send again after 429, 502, 503 and 504 only. */
  async #send(batch: readonly FinishedSpan[]): Promise<'sent' | 'refused' | 'away'> {
    const { post, headers } = this.#options;
    try {
      const body = JSON.stringify(this.#request(batch));
      const status = await post(this.#url, { 'content-type': 'application/json', ...headers }, body);
      if (status >= 200 && status < 300) return 'sent';
      return [429, 502, 503, 504].includes(status) ? 'away' : 'refused';
    } catch {
      return 'away';
    }
  }

  #request(batch: readonly FinishedSpan[]): object {
    const { serviceName, resource } = this.#options;
    return {
      resourceSpans: [
        {
          resource: { attributes: attributesOf({ 'service.name': serviceName, ...resource }) },
          scopeSpans: [{ scope: { name: 'kerf' }, spans: batch.map(spanOf) }],
        },
      ],
    };
  }
}

function spanOf({
  traceId,
  spanId,
  parentSpanId,
  name,
  kind,
  startMs,
  endMs,
  attributes,
  error,
}: FinishedSpan): object {
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(Math.max(startMs, endMs)),
    attributes: attributesOf(attributes),
    ...(error === null ? {} : { status: { code: STATUS_ERROR, message: error } }),
  };
}

/** 64-bit integers are strings in OTLP's JSON. */
function nanosOf(ms: number): string {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}

function attributesOf(attributes: Readonly<Record<string, SpanAttribute>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: SpanAttribute): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function urlOf(endpoint: string): string {
  const url = parseUrl(endpoint);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new KerfError('INVALID_ARGUMENT', `'${endpoint}' is no address of a collector; use http://HOST:4318`);
  }
  return url.pathname.endsWith('/v1/traces') ? url.href : new URL('v1/traces', `${url.href.replace(/\/$/, '')}/`).href;
}

const postWithFetch: PostTraces = async (url, headers, body) => {
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(POST_TIMEOUT_MS) });
  await response.arrayBuffer();
  return response.status;
};
