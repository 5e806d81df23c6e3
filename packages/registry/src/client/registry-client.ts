// Calls of the registry's API -> its answers, or its errors as they were thrown there.
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ERROR_CODES, type ErrorCode, KerfError, messageOf, untrustedError } from '@kerf/protocol';

export interface RegistryClientOptions {
  /** `https://registry:8480`. */
  readonly url: string;
  /** A token, `kd1.DEVICE.SECRET` or `ke1.ID.SECRET`; null: none. */
  readonly credential: string | null;
  /** PEM of the certificate to trust besides the system's. */
  readonly ca?: string;
  /** Silence for so long ends a request. @default 30_000 */
  readonly idleTimeoutMs?: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** To be read to its end, or destroyed. */
  readonly body: Readable;
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array> | string;
}

/** Of a JSON answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #base: URL;

  /** @throws {KerfError} INVALID_ARGUMENT for what is no address. */
  constructor(options: RegistryClientOptions) {
    this.#options = options;
    try {
      this.#base = new URL(options.url);
    } catch (cause) {
      throw new KerfError('INVALID_ARGUMENT', `'${options.url}' is no address; use https://HOST:PORT`, { cause });
    }
  }

  /** @throws {KerfError} what the registry says; REGISTRY_UNREACHABLE. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.raw({
      method,
      path,
      ...(text === undefined
        ? {}
        : {
            body: text,
            headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
          }),
    });
    const said = (await readAll(answer.body)).toString('utf8');
    if (answer.status >= 400) throw errorOf(answer.status, said);
    return (said === '' ? undefined : JSON.parse(said)) as T;
  }

  /** Sends bytes. @throws {KerfError} as {@link json}. */
  async upload(
    path: string,
    source: AsyncIterable<Uint8Array>,
    bytes: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const answer = await this.raw({
      method: 'PUT',
      path,
      body: source,
      headers: { ...headers, 'content-type': 'application/octet-stream', 'content-length': String(bytes) },
    });
    const said = (await readAll(answer.body)).toString('utf8');
    if (answer.status >= 400) throw errorOf(answer.status, said);
  }

  /** The bytes of a file of the repository; null when it is not there. @throws {KerfError} as {@link json}. */
  async download(path: string): Promise<Readable | null> {
    const answer = await this.raw({ method: 'GET', path: `/repository/${path}` });
    if (answer.status === 200) return answer.body;
    const said = (await readAll(answer.body)).toString('utf8');
    if (answer.status === 404) return null;
    throw errorOf(answer.status, said);
  }

  /** The answer as it comes. @throws {KerfError} REGISTRY_UNREACHABLE, TLS_UNTRUSTED. */
  raw({ method, path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
    const { credential, ca, idleTimeoutMs = 30_000 } = this.#options;
    const url = new URL(path, this.#base);
    const request = url.protocol === 'http:' ? requestHttp : requestHttps;
    return new Promise((resolve, reject) => {
      const call = request(url, {
        method,
        headers: { ...headers, ...(credential === null ? {} : { authorization: `Bearer ${credential}` }) },
        timeout: idleTimeoutMs,
        ...(ca === undefined ? {} : { ca }),
      });
      call.once('timeout', () => call.destroy(new Error('no answer in time')));
      call.on('error', (cause) => reject(unreachable(this.#options.url, cause)));
      call.once('response', (answer: IncomingMessage) => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: answer });
      });
      if (body === undefined || typeof body === 'string') call.end(body);
      // Refused in the middle: the answer says why, or the error event does.
      else pipeline(Readable.from(body), call).catch((error: unknown) => KerfError.is(error) && reject(error));
    });
  }
}

async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += (chunk as Buffer).byteLength;
      if (bytes > MAX_ANSWER_BYTES) throw new KerfError('MESSAGE_TOO_LARGE', 'the answer of the registry is too long');
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    throw KerfError.from(cause, 'REGISTRY_UNREACHABLE', 'the registry broke off its answer');
  }
  return Buffer.concat(chunks);
}

function unreachable(url: string, cause: unknown): KerfError {
  const untrusted = untrustedError(cause, new URL(url).host);
  if (untrusted !== null) return untrusted;
  return new KerfError('REGISTRY_UNREACHABLE', `the registry at ${url} does not answer: ${messageOf(cause)}`, {
    cause,
  });
}

function errorOf(status: number, text: string): KerfError {
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; details?: Record<string, unknown> };
    };
    if (error.code in ERROR_CODES) {
      return new KerfError(error.code as ErrorCode, error.message, { details: error.details ?? {} });
    }
  } catch {
    // Not one of ours: a proxy in between, or something else altogether.
  }
  return new KerfError('REGISTRY_UNREACHABLE', `what answers there is no registry (status ${status})`);
}
