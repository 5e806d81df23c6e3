// Traces through gateway and worker to a real collector, and tokens that are revoked while they are in use.

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateTokenKeys, issueToken } from '@kerf/access';
import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { payload } from './support/client.ts';
import { client, opened, serveModels } from './support/cloud.ts';
import { floats, rowsModel, slowModel, temporaryFolder, writeModel } from './support/models.ts';
import { OipClient } from './support/oip-client.ts';

const x = floats([1, 64], (i) => i);
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly message: string };
}

let server: Server | null = null;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function collector(): Promise<{ endpoint: string; spans: Span[] }> {
  const spans: Span[] = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      for (const resource of JSON.parse(text).resourceSpans) {
        for (const scope of resource.scopeSpans) spans.push(...(scope.spans as Span[]));
      }
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

async function until(done: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 20_000; !done(); ) {
    if (Date.now() > endMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('traces', () => {
  it('go on from the edge through gateway and worker, under one id', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const { endpoint, spans } = await collector();
    const cloud = await serveModels(dir, { traces: { endpoint }, tls: { kind: 'insecure' } });
    const edge = await opened(cloud, 'rows');
    const frame = (number: number, trace: string | null, tensors = [payload('x', x)]): void =>
      edge.send({ type: 'frame', session: 1, frame: number, deadlineMs: 10_000, trace, tensors });
    frame(1, `00-${TRACE}-${PARENT}-01`);
    frame(2, `00-${TRACE}-${PARENT}-00`);
    frame(3, null);
    frame(4, 'nonsense');
    for (const number of [1, 2, 3, 4]) await edge.result(number);
    const http = new OipClient(cloud.port);
    const other = TRACE.replace('4', '5');
    const input = { name: 'x', datatype: 'FP32', shape: [1, 64], data: Array.from({ length: 64 }, () => 0) };
    const traceparent = `00-${other}-${PARENT}-01`;
    await http.call('POST', '/v2/models/rows/infer', { inputs: [input] }, { traceparent });
    http.close();
    await until(() => spans.length >= 8);
    const of = (traceId: string): Span[] => spans.filter((span) => span.traceId === traceId);
    for (const trace of [TRACE, other]) {
      const [root] = of(trace).filter(({ name }) => name === 'kerf.frame');
      expect(root?.parentSpanId).toBe(PARENT);
      const children = of(trace).filter((span) => span !== root);
      expect(children.map(({ name }) => name).toSorted()).toEqual([
        'kerf.queue',
        'kerf.worker.compute',
        'kerf.worker.decode',
      ]);
      for (const { parentSpanId, startTimeUnixNano, endTimeUnixNano } of children) {
        expect(parentSpanId).toBe(root?.spanId);
        expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(root?.startTimeUnixNano ?? 0));
        expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(root?.endTimeUnixNano ?? 0) + 1_000_000n);
      }
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(spans).toHaveLength(8);
  });

  it('to a collector that is away cost no frame', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir, { traces: { endpoint: 'http://127.0.0.1:9' } });
    const edge = await opened(cloud, 'rows');
    for (const frame of [1, 2, 3]) {
      const trace = `00-${TRACE}-${PARENT}-01`;
      edge.send({ type: 'frame', session: 1, frame, deadlineMs: 10_000, trace, tensors: [payload('x', x)] });
      await edge.result(frame);
    }
  });
});

describe('a token that is revoked', () => {
  it('ends its links mid-stream and opens nothing more; others go on', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    writeModel(dir, 'slow', slowModel(8));
    const keys = generateTokenKeys();
    const folder = temporaryFolder();
    const publicKeyPath = join(folder, 'public.pem');
    const revokedPath = join(folder, 'revoked.txt');
    writeFileSync(publicKeyPath, keys.publicKeyPem);
    writeFileSync(revokedPath, '# none yet\n');
    const token = (subject: string): Promise<string> =>
      issueToken({ privateKeyPem: keys.privateKeyPem, subject, models: ['*'], expiresInSeconds: 60 });
    const auth = { kind: 'token', publicKeyPaths: [publicKeyPath], audience: 'kerf-cloud', revokedPath } as const;
    const cloud = await serveModels(dir, { auth });
    const [lost, stolen, fine] = await Promise.all(['lost', 'stolen', 'fine'].map(token));
    const [byId, bySubject, other] = await Promise.all([lost, stolen, fine].map((one) => opened(cloud, 'slow', one)));
    const big = payload(
      'x',
      floats([1024, 1024], (i) => i % 5),
    );
    for (const edge of [byId!, bySubject!]) for (const frame of [1, 2, 3]) edge.frame(frame, [big]);
    writeFileSync(revokedPath, `${decodeJwt(lost!).jti} # a lost laptop\nsubject:stolen\n`);
    for (const edge of [byId!, bySubject!]) {
      expect(await edge.closed()).toBe(1008);
      expect(edge.all('fault').at(-1)).toMatchObject({ code: 'UNAUTHENTICATED', session: null });
    }
    for (const one of [lost!, stolen!]) {
      const again = await client(cloud).hello(one);
      expect(again.all('fault')[0]).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    other!.frame(1, [big]);
    await other!.result(1, 30_000);
    expect(JSON.stringify(cloud.events)).not.toContain(lost!.slice(0, 60));
  });

  it('needs its list to be there from the start', async () => {
    const dir = temporaryFolder();
    const keys = generateTokenKeys();
    const publicKeyPath = join(dir, 'public.pem');
    writeFileSync(publicKeyPath, keys.publicKeyPem);
    const revokedPath = join(dir, 'none.txt');
    const auth = { kind: 'token', publicKeyPaths: [publicKeyPath], audience: 'kerf-cloud', revokedPath } as const;
    await expect(serveModels(dir, { auth })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
