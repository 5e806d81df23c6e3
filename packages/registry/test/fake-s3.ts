// A small S3 for tests: PUT, GET with ranges, HEAD, DELETE; recomputes each signature from the request as it arrived.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeS3 {
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  close(): Promise<void>;
}

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

const BUCKET = 'kerf';

export async function startFakeS3(): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    answer(objects, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(objects: Map<string, Buffer>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = request.url ?? '';
  if (!signatureHolds(request)) {
    request.resume();
    response.writeHead(403).end();
    return;
  }
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (createHash('sha256').update(body).digest('hex') !== request.headers['x-amz-content-sha256']) {
      response.writeHead(400).end();
      return;
    }
    objects.set(key, body);
    response.writeHead(200).end();
    return;
  }
  if (key === `/${BUCKET}`) {
    response.writeHead(200).end();
    return;
  }
  const body = objects.get(key);
  if (request.method === 'DELETE') objects.delete(key);
  if (body === undefined) response.writeHead(404).end();
  else if (request.method === 'DELETE') response.writeHead(204).end();
  else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': body.byteLength }).end();
  else sendRange(request, response, body);
}

function sendRange(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (match === null) response.writeHead(200).end(body);
  else response.writeHead(206).end(body.subarray(Number(match[1]), Number(match[2]) + 1));
}

/** Written from Amazon's description on its own, not with the code under test. */
function signatureHolds(request: IncomingMessage): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (match === null || match[1] !== credentials.accessKeyId) return false;
  const [, , day, region, signedHeaders, given] = match as unknown as string[];
  const stamp = String(request.headers['x-amz-date']);
  if (
    Math.abs(Date.now() - Date.parse(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))) >
    15 * 60_000
  ) {
    return false;
  }
  const url = new URL(request.url ?? '', 'http://x');
  let canonical = `${request.method}\n${url.pathname}\n${url.search.slice(1)}\n`;
  for (const name of signedHeaders!.split(';')) canonical += `${name}:${String(request.headers[name]).trim()}\n`;
  canonical += `\n${signedHeaders}\n${String(request.headers['x-amz-content-sha256'])}`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  let key: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const part of [day!, region!, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  const text = `AWS4-HMAC-SHA256\n${stamp}\n${day}/${region}/s3/aws4_request\n${hash}`;
  const expected = createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(expected, Buffer.from(given!, 'hex'));
}
