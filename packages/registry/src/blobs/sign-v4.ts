// A request to an S3-compatible store -> the headers that sign it (AWS Signature Version 4, payload hash in the headers).
// See "Authenticating Requests (AWS Signature Version 4)" in Amazon's S3 API reference; each step below is one of theirs.
import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hex SHA-256 of the body. */
  readonly payloadSha256: string;
}

/** Hex SHA-256 of no bytes. */
export const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** `headers` with host, date, payload hash and `authorization`. */
export function signV4(
  request: SignedRequest,
  credentials: S3Credentials,
  region: string,
  nowMs: number,
): Record<string, string> {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    'x-amz-content-sha256': request.payloadSha256,
    'x-amz-date': stamp,
  };
  const names = Object.keys(headers).sort();
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonicalRequest(request, headers, names))].join('\n');
  const signature = hmac(signingKey(credentials.secretAccessKey, stamp.slice(0, 8), region), toSign).toString('hex');
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** Step 1. Our keys hold no character that a path would have to escape; queries are sorted by name. */
function canonicalRequest(
  { method, url, payloadSha256 }: SignedRequest,
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  const query = [...url.searchParams]
    .map(([key, value]) => `${escaped(key)}=${escaped(value)}`)
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`);
  return [method, url.pathname, query, lines.join(''), names.join(';'), payloadSha256].join('\n');
}

/** Step 3: each part narrows the key to a day, a region and a service. */
function signingKey(secret: string, day: string, region: string): Buffer {
  return ['aws4_request', 's3', region, day].reduceRight<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`),
  );
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
