// One request to an S3-compatible store -> its answer, signed, and given up when the store says nothing for too long.
import { Readable } from 'node:stream';
import { KerfError, untilAborted } from '@kerf/protocol';
import { EMPTY_SHA256, type S3Credentials, signV4 } from './sign-v4.ts';

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`; the bucket goes into the path. */
  readonly endpoint: string;
  readonly bucket: string;
  /** @default 'us-east-1' */
  readonly region?: string;
  readonly credentials: S3Credentials;
  /** Before every key, such as `kerf/`. @default '' */
  readonly prefix?: string;
  /** That the store may say or take nothing for; whoever is at the other end of a body has limits of its own. @default 30_000 */
  readonly timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallNowMs?: () => number;
}

export interface S3Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Null: of the bucket itself. */
  readonly key: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly stream: AsyncIterable<Uint8Array>; readonly sha256: string };
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Of a refusal, such as `NoSuchBucket`; null where the store does not say. */
  readonly code: string | null;
  /** Once. @throws {KerfError} STORE_FAILED when it breaks off. */
  body(): AsyncIterable<Uint8Array>;
}

/** Of the text of a refusal. */
const MAX_REFUSAL_BYTES = 16 * 1024;

/** @throws {KerfError} STORE_FAILED when no answer comes; what the body's source throws. */
export async function askS3(options: S3Options, { method, key, headers = {}, body }: S3Call): Promise<S3Answer> {
  const { endpoint, bucket, region = 'us-east-1', credentials, prefix = '', timeoutMs = 30_000 } = options;
  const path = key === null ? bucket : `${bucket}/${prefix}${key}`;
  const url = new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const payloadSha256 = body?.sha256 ?? EMPTY_SHA256;
  const nowMs = (options.wallNowMs ?? Date.now)();
  const { host: _, ...signed } = signV4({ method, url, headers, payloadSha256 }, credentials, region, nowMs);
  const patience = new Patience(timeoutMs);
  patience.begin();
  try {
    const sent = body === undefined ? {} : { body: streamOf(waitedFor(body.stream, patience)), duplex: 'half' };
    const request = { method, headers: signed, redirect: 'error', signal: patience.signal, ...sent };
    const response = await fetch(url, request as RequestInit);
    const code = response.ok ? null : await codeOf(response);
    if (method !== 'GET') letGo(response.body?.cancel());
    patience.end();
    return {
      status: response.status,
      headers: response.headers,
      code,
      body: () => bodyOf(response, patience),
    };
  } catch (cause) {
    patience.end();
    // What the source itself says, such as a wrong hash, comes as the cause of fetch's own error.
    const inner = (cause as Error).cause;
    throw KerfError.from(KerfError.is(inner) ? inner : cause, 'STORE_FAILED', 'the S3 store does not answer');
  }
}

/** Runs while it is the store's turn. */
class Patience {
  readonly #abort = new AbortController();
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  begin(): void {
    this.end();
    const late = new KerfError('STORE_FAILED', `the S3 store said nothing for ${this.#ms / 1000} s`);
    this.#timer = setTimeout(() => this.#abort.abort(late), this.#ms);
  }

  /** It is the store's turn until it has said this. */
  async until<T>(said: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await untilAborted(said, this.signal);
    } finally {
      this.end();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream {
  return Readable.toWeb(Readable.from(source, { objectMode: false })) as ReadableStream;
}

/** It is the source's turn until it has given something, then the store's until that asks for more. */
async function* waitedFor(source: AsyncIterable<Uint8Array>, patience: Patience): AsyncGenerator<Uint8Array> {
  patience.end();
  for await (const chunk of source) {
    patience.begin();
    yield chunk;
    patience.end();
  }
  patience.begin();
}

async function* bodyOf({ body }: Response, patience: Patience): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    while (true) {
      const { value, done } = await patience.until(reader.read());
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw KerfError.from(cause, 'STORE_FAILED', 'the S3 store broke off an answer');
  } finally {
    patience.end();
    letGo(reader.cancel());
  }
}

/** Nobody waits for what is not wanted any more: the end of a body may never come, and has no limit of its own. */
function letGo(cancelled: Promise<void> | undefined): void {
  cancelled?.catch(() => undefined);
}

/** @see "Error responses" in Amazon's S3 API reference */
async function codeOf({ body }: Response): Promise<string | null> {
  if (body === null) return null;
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1] ?? null;
}
