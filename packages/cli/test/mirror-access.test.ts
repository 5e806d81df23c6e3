// A mirror behind TLS that asks for a token, as a registry is: a certificate of its own, ranges, and what is refused.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentCertificate } from '@kerf/access';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mirrorOf } from '../src/publish/read-repository.ts';

let folder: string;
let server: Server;
let url: string;
let ca: string;
const data = Uint8Array.from({ length: 50_000 }, (_, at) => at);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-access-'));
  const certificate = await developmentCertificate(folder, []);
  ca = certificate.certPath;
  server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, (request, response) => {
    if (request.headers.authorization !== 'Bearer secret') return void response.writeHead(401).end();
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from === 0) return void response.end(data);
    return void response.writeHead(206, { 'content-range': `bytes ${from}-49999/50000` }).end(data.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `https://127.0.0.1:${address.port}/repository`;
  await writeFile(join(folder, 'token'), 'secret\n');
  await writeFile(join(folder, 'wrong'), 'guess\n');
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function read(token: string | null, trusted: string | null, offset: number): Promise<number> {
  const mirror = await mirrorOf(url, { tokenFile: token === null ? null : join(folder, token), ca: trusted });
  let sum = 0;
  for await (const piece of (await mirror.open('blobs/x', offset, null)) ?? []) sum += piece.byteLength;
  return sum;
}

test('with its certificate and a token the bytes come, from the middle too', async () => {
  expect(await read('token', ca, 0)).toBe(50_000);
  expect(await read('token', ca, 49_000)).toBe(1000);
});

test('a wrong token, no token, and a certificate that nobody vouches for', async () => {
  const refused = { code: 'MIRROR_UNAVAILABLE' };
  await expect(read('wrong', ca, 0)).rejects.toMatchObject({
    ...refused,
    message: expect.stringMatching(/401: it asks for a token/) as string,
  });
  await expect(read(null, ca, 0)).rejects.toMatchObject(refused);
  await expect(read('token', null, 0)).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('is not trusted (') as string,
  });
  await expect(read('none', ca, 0)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});
