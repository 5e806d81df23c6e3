// What session, gateway and worker add to a socket: an activation there and back, against a bare ws echo.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import { EdgeSession } from '@kerf/edge-runtime';
import { wsConnect } from '@kerf/edge-runtime/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, KerfError } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { WebSocket } from 'ws';
import { type Bench, type BenchRow, interleave } from './bench.ts';

/** The echo in the process of the socket, and in a second one behind it, where a crash would leave the socket standing. */
const BARE = { path: '/', against: 'bare ws' };
const BEHIND = { path: '/behind', against: 'bare ws and a pipe to a second process' };
const SHORT = { path: '/short', against: 'bare ws' };

const CASES = [
  { name: '800 KB there and back (Identity)', model: 'identity', echo: BARE, elements: 200_704, goal: 1.15 },
  { name: '800 KB there and back (Identity)', model: 'identity', echo: BEHIND, elements: 200_704, goal: null },
  { name: '800 KB there, 4 bytes back (ReduceMax)', model: 'max', echo: SHORT, elements: 200_704, goal: null },
  { name: '100 KB there and back (Identity)', model: 'identity', echo: BARE, elements: 25_088, goal: null },
  { name: '8 KB there and back (Identity)', model: 'identity', echo: BARE, elements: 2048, goal: null },
  { name: '8 KB there and back (Identity)', model: 'identity', echo: BEHIND, elements: 2048, goal: null },
] as const;

export const crossing: Bench = {
  name: 'crossing',
  summary: 'a float32 tensor through session, gateway and worker, against bare ws servers; TLS 1.3, one in flight',
  async *run({ full }) {
    growHeapFreely(); // as `kerf station` does
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const models = join(folder, 'models');
    await mkdir(models);
    await writeFile(join(models, 'identity.onnx'), oneNode('Identity', 'n'));
    await writeFile(join(models, 'max.onnx'), oneNode('ReduceMax', 1));
    const cloud = await startCloudProcess(['--models', models, '--state', join(folder, 'state'), '--port', '0']);
    const ca = await readFile(cloud.certificatePath ?? '');
    const echo = await startEcho(cloud.certificatePath ?? '');
    const key = await readFile(join(folder, 'state', 'token-private.pem'), 'utf8');
    const token = await issueToken({ privateKeyPem: key, subject: 'bench', models: ['*'], expiresInSeconds: 600 });
    const connect = wsConnect({ url: cloud.url, ca });
    try {
      for (const one of CASES) {
        const target = { model: one.model, connect, token };
        const session = await EdgeSession.open({ split: null, head: null, local: null, cloud: target });
        const bare = await connectEcho(`wss://localhost:${echo.port}${one.echo.path}`, ca);
        yield await measure(one, session, bare, full ? 301 : 101);
        session.close();
        bare.terminate();
      }
    } finally {
      echo.stop();
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(
  { name, echo, elements, goal }: (typeof CASES)[number],
  session: EdgeSession,
  bare: WebSocket,
  rounds: number,
): Promise<BenchRow> {
  const values = Float32Array.from({ length: elements }, (_, at) => at / elements);
  const tensor = float32Tensor([1, elements], values);
  const bytesBack = echo === SHORT ? 4 : tensor.data.byteLength;
  const ours = async (): Promise<void> => {
    const outcome = await session.infer(new Map([['x', tensor]]));
    if (outcome.kind === 'failed') throw new KerfError(outcome.code, outcome.message);
    if (outcome.outputs.get('y')?.data.byteLength !== bytesBack) throw new Error('the answer is cut short');
  };
  const theirs = async (): Promise<void> => {
    bare.send(tensor.data, { binary: true });
    const [data] = (await once(bare, 'message')) as [Buffer];
    if (data.byteLength !== bytesBack) throw new Error('the answer is cut short');
  };
  const times = await interleave(ours, theirs, { warmUp: 20, rounds });
  const met = goal === null ? null : times.ratio <= goal;
  return {
    bench: 'crossing',
    case: name,
    value: times.ours,
    unit: 'ms',
    against: `${echo.against} (${times.theirs.toFixed(2)} ms)`,
    ratio: times.ratio,
    goal: goal === null ? null : `<= ${goal}`,
    met,
  };
}

/** y = op(x), row by row. */
function oneNode(op: string, columns: string | number): Uint8Array {
  return buildModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 'n'] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', columns] }],
    nodes: [{ op, inputs: ['x'], outputs: ['y'], ...(op === 'ReduceMax' && { attributes: { axes: [1] } }) }],
  });
}

async function startEcho(certPath: string): Promise<{ port: number; stop(): void }> {
  const keyPath = join(dirname(certPath), 'dev-key.pem');
  const child = fork(fileURLToPath(new URL('echo-server.mjs', import.meta.url)), [certPath, keyPath], { execArgv: [] });
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { port: message.port, stop: () => void child.kill() };
}

async function connectEcho(url: string, ca: Buffer): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    ca,
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
    minVersion: 'TLSv1.3',
    generateMask: (mask) => void mask.fill(0),
  });
  await once(socket, 'open');
  return socket;
}
