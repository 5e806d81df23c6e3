// A real S3 server beside the tests, which can be killed and started again on the same objects and port; and the way to it, which can stall.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { S3Options } from '../src/blobs/s3-request.ts';

export interface S3Server {
  readonly options: Pick<S3Options, 'endpoint' | 'bucket' | 'credentials'>;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('../../../test/support/s3-server.mjs', import.meta.url));
const BUCKET = 'kerf';

export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-s3-'));
  let port = 0;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    child = fork(SCRIPT, [folder, String(port), BUCKET], { execArgv: [] });
    [port] = (await once(child, 'message')) as [number];
  };
  const kill = async (): Promise<void> => {
    if (child === null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = null;
  };
  await start();
  return {
    options: {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: BUCKET,
      // What this server takes.
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    },
    kill,
    start,
    async remove() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Stall {
  readonly endpoint: string;
  /** Bytes of an answer that are let through before nothing comes any more; null: all. */
  answerBytes: number | null;
  close(): Promise<void>;
}

/** Between a client and a server: bytes go through until they do not. */
export async function startStall(endpoint: string): Promise<Stall> {
  const target = Number(new URL(endpoint).port);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
    }
    client.pipe(upstream);
    let passed = 0;
    upstream.on('data', (chunk: Buffer) => {
      const most = stall.answerBytes === null ? chunk.byteLength : Math.max(0, stall.answerBytes - passed);
      passed += chunk.byteLength;
      client.write(chunk.subarray(0, most));
    });
    upstream.on('end', () => stall.answerBytes === null && client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stall: Stall = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerBytes: null,
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return stall;
}
