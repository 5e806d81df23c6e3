// A place that holds a copy of a repository. Nothing that it gives is trusted.
import {
  type CertificateCause,
  errorWithWhy,
  KerfError,
  messageOf,
  untilAborted,
  untrustedError,
  whyOfError,
} from '@kerf/protocol';

/** A delta of a way. */
export interface DeltaStep {
  /** Hex SHA-256 of the files at both ends. */
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

export interface Mirror {
  /** For people: an address, a folder. */
  readonly name: string;
  /**
   * The bytes of a file from `offset` on, in pieces; null when it is not there.
   * @param length at most so many bytes; null for all
   * @throws {KerfError} MIRROR_UNAVAILABLE, also later, while pieces come.
   */
  open(path: string, offset: number, length: number | null): Promise<AsyncIterable<Uint8Array> | null>;
  /** Deltas that lead from one file to another, for a place that can say; null, or none, where there are none. */
  route?(from: string, to: string): Promise<readonly DeltaStep[] | null>;
}

export interface HttpMirrorOptions {
  /** Of the repository's root, with or without a slash at its end. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default that of the host */
  readonly fetch?: typeof fetch;
  /** Silence for so long ends a request. @default 30 s */
  readonly idleTimeoutMs?: number;
}

/** Any server that serves files; with ranges where it knows them. In browsers it must allow the origin (CORS). */
export function httpMirror({ url, headers = {}, idleTimeoutMs = 30_000, ...options }: HttpMirrorOptions): Mirror {
  const base = url.endsWith('/') ? url : `${url}/`;
  const get = options.fetch ?? fetch;
  return {
    name: base,
    async open(path, offset, length) {
      if (length === 0) return none();
      const stop = new AbortController();
      const isRange = offset > 0 || length !== null;
      const range = `bytes=${offset}-${length === null ? '' : offset + length - 1}`;
      const response = await within(idleTimeoutMs, stop, base, () =>
        get(new URL(path, base), {
          headers: isRange ? { ...headers, range } : headers,
          signal: stop.signal,
          redirect: 'follow',
        }),
      );
      if (response.status === 404 || response.status === 410 || response.status === 403) {
        stop.abort();
        return null;
      }
      if (response.status === 416) {
        stop.abort();
        return none();
      }
      const isPart = response.status === 206;
      if (!response.ok || response.body === null || (isPart && !startsAt(response, offset))) {
        stop.abort();
        throw unavailable(base, `it answered with status ${response.status}${hintFor(response, range)}`);
      }
      // A server that knows no ranges sends all: what was not asked for is passed over.
      return pieces(response.body, isPart ? 0 : offset, length, { base, stop, idleTimeoutMs });
    },
  };
}

function hintFor({ status, headers }: Response, asked: string): string {
  if (status === 401) return ': it asks for a token, or refuses the one that it was shown';
  if (status !== 206) return '';
  return `: asked for ${asked}, it sent '${headers.get('content-range') ?? 'no Content-Range'}'`;
}

function startsAt(response: Response, offset: number): boolean {
  const match = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return match !== null && Number(match[1]) === offset;
}

interface Request {
  readonly base: string;
  readonly stop: AbortController;
  readonly idleTimeoutMs: number;
}

async function* pieces(
  body: ReadableStream<Uint8Array>,
  skip: number,
  length: number | null,
  { base, stop, idleTimeoutMs }: Request,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  let toSkip = skip;
  let left = length ?? Number.POSITIVE_INFINITY;
  try {
    while (left > 0) {
      const { done, value } = await within(idleTimeoutMs, stop, base, () => reader.read());
      if (done) return;
      const from = Math.min(toSkip, value.byteLength);
      toSkip -= from;
      const piece = value.subarray(from, Math.min(value.byteLength, from + left));
      left -= piece.byteLength;
      if (piece.byteLength > 0) yield piece;
    }
  } finally {
    stop.abort();
  }
}

async function within<T>(timeoutMs: number, stop: AbortController, base: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    return await untilAborted(work(), stop.signal);
  } catch (cause) {
    if (stop.signal.aborted) throw unavailable(base, `it was silent for ${timeoutMs} ms`, cause);
    const untrusted = untrustedError(cause, new URL(base).host);
    throw untrusted === null ? unavailable(base, reasonOf(cause), cause) : distrusted(base, untrusted);
  } finally {
    clearTimeout(timer);
  }
}

/** What `fetch` says of a failure is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  const { code = '' } = cause as { code?: unknown };
  return messageOf(cause) || String(code);
}

function distrusted(mirror: string, error: KerfError): KerfError {
  const why = whyOfError<CertificateCause>(error) as CertificateCause;
  return errorWithWhy('MIRROR_UNAVAILABLE', `${mirror}: ${error.message}`, why, { cause: error });
}

/** Of several mirrors, which one is meant. */
export function named(error: KerfError, { name }: Pick<Mirror, 'name'>): KerfError {
  if (error.message.startsWith(name)) return error;
  return new KerfError(error.code, `${name}: ${error.message}`, { cause: error, details: error.details });
}

export function unavailable(mirror: string, why: string, cause?: unknown): KerfError {
  return new KerfError('MIRROR_UNAVAILABLE', `${mirror}: ${why}`, cause === undefined ? {} : { cause });
}

async function* none(): AsyncGenerator<Uint8Array> {}
