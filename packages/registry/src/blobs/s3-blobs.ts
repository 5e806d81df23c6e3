// A bucket of an S3-compatible store -> a blob store. Its PUT checks the hash, and is atomic where the store is as
// good as S3; of one that is not, what was broken off is removed, and never taken for the blob.
import { Readable } from 'node:stream';
import { KerfError } from '@kerf/protocol';
import { type BlobStore, isBlobKey } from './blob-store.ts';
import { checkedSource } from './checked-source.ts';
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
  /** Of one request without its body. @default 30_000 */
  readonly timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallNowMs?: () => number;
}

interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly stream: AsyncIterable<Uint8Array>; readonly sha256: string };
}

/** Largest object of one PUT; a larger file would need parts. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

export function openS3Blobs(options: S3Options): BlobStore {
  const call = (what: Call): Promise<Response> => send(options, what);
  const stat: BlobStore['stat'] = async (key) => {
    const response = await call({ method: 'HEAD', key });
    if (response.status === 404) return null;
    checked(response, 'HEAD');
    return { bytes: Number(response.headers.get('content-length')) };
  };
  const remove: BlobStore['remove'] = async (key) => {
    const response = await call({ method: 'DELETE', key });
    if (response.status !== 404) checked(response, 'DELETE');
  };
  /** Not every store forgets a PUT that was broken off; what another writer has stored meanwhile has its whole length. */
  const removeBroken = async (key: string, bytes: number): Promise<void> => {
    const found = await stat(key);
    if (found !== null && found.bytes !== bytes) await remove(key);
  };
  return {
    stat,
    read: (key, { start, end }) => readObject(call, key, start, end),
    async write(key, source, expected) {
      if ((await stat(key))?.bytes === expected.bytes) return;
      if (expected.bytes > MAX_PUT_BYTES) {
        throw new KerfError('STORE_FAILED', 'the S3 store takes blobs of at most 5 GiB from kerf');
      }
      const body = { stream: checkedSource(source, expected), sha256: expected.sha256 };
      try {
        checked(await call({ method: 'PUT', key, body, headers: { 'content-length': String(expected.bytes) } }), 'PUT');
      } catch (error) {
        await removeBroken(key, expected.bytes).catch(() => undefined);
        throw error;
      }
    },
    remove,
  };
}

async function* readObject(
  call: (what: Call) => Promise<Response>,
  key: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (end <= start) return;
  const response = await call({ method: 'GET', key, headers: { range: `bytes=${start}-${end - 1}` } });
  if (response.status === 404) throw new KerfError('NOT_FOUND', 'there is no such blob');
  checked(response, 'GET');
  if (response.status !== 206) throw new KerfError('STORE_FAILED', 'the S3 store does not answer range requests');
  try {
    if (response.body !== null) yield* response.body;
  } catch (cause) {
    throw KerfError.from(cause, 'STORE_FAILED', 'the S3 store broke off an answer');
  }
}

async function send(options: S3Options, { method, key, headers = {}, body }: Call): Promise<Response> {
  if (!isBlobKey(key)) throw new KerfError('INVALID_ARGUMENT', 'this is no key of a blob');
  const { endpoint, bucket, region = 'us-east-1', credentials, prefix = '', timeoutMs = 30_000 } = options;
  const url = new URL(`${bucket}/${prefix}${key}`, endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const payloadSha256 = body?.sha256 ?? EMPTY_SHA256;
  const nowMs = (options.wallNowMs ?? Date.now)();
  const { host: _, ...signed } = signV4({ method, url, headers, payloadSha256 }, credentials, region, nowMs);
  try {
    return await fetch(url, {
      method,
      headers: signed,
      redirect: 'error',
      // A body takes as long as it takes; its sender has a limit of its own.
      ...(body === undefined
        ? { signal: AbortSignal.timeout(timeoutMs) }
        : { body: Readable.toWeb(Readable.from(body.stream, { objectMode: false })), duplex: 'half' }),
    } as RequestInit);
  } catch (cause) {
    // What the source itself says, such as a wrong hash, comes as the cause of fetch's own error.
    const inner = (cause as Error).cause;
    throw KerfError.from(KerfError.is(inner) ? inner : cause, 'STORE_FAILED', 'the S3 store does not answer');
  }
}

function checked(response: Response, method: string): void {
  if (response.ok) return;
  const hint = response.status === 403 ? ': are the credentials right, and the clock?' : '';
  throw new KerfError('STORE_FAILED', `the S3 store answered ${method} with ${response.status}${hint}`);
}
