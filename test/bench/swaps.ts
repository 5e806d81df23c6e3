// Releases that replace each other under load: does a request fail, does memory grow? One process, hundreds of swaps.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloudProcess, startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { type Bench, type BenchRow, median } from './bench.ts';
import { percentile } from './serving/open-loop.ts';
import { childrenOf, rssOf } from './serving/process-stats.ts';

const SHORT = 40;
const FULL = 1000;
/** Swaps before memory is looked at: V8's heap has found its size by then. */
const WARM_UP = 40;
const REQUESTS_IN_FLIGHT = 4;
const ELEMENTS = 2048;

export const swaps: Bench = {
  name: 'swaps',
  summary: `a release replaced again and again while ${REQUESTS_IN_FLIGHT} requests are always under way`,
  async *run({ full }) {
    growHeapFreely(); // as `kerf station` does
    if (process.platform !== 'linux') return;
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const models = join(folder, 'models');
    await mkdir(join(models, 'part', '1'), { recursive: true });
    await writeFile(join(folder, 'model.onnx'), model());
    await copyFile(join(folder, 'model.onnx'), join(models, 'part', '1', 'model.onnx'));
    const serve = ['--models', models, '--state', join(folder, 'state'), '--port', '0', '--preload', 'part'];
    const cloud = await startCloudProcess(serve);
    const key = await readFile(join(folder, 'state', 'token-private.pem'), 'utf8');
    const claims = { subject: 'bench', models: ['*'], cloud: ['manage'], expiresInSeconds: 36_000 };
    const token = await issueToken({ privateKeyPem: key, ...claims });
    const client = new Client(cloud, await readFile(cloud.certificatePath ?? ''), token);
    try {
      yield* measure(client, cloud, folder, full ? FULL : SHORT);
    } finally {
      client.close();
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function* measure(client: Client, cloud: CloudProcess, folder: string, count: number): AsyncIterable<BenchRow> {
  const load = new Load(client);
  const memory: number[] = [];
  const swapMs: number[] = [];
  for (let swap = 1; swap <= WARM_UP + count; swap++) {
    const version = join(folder, 'models', 'part', String(swap + 1));
    await mkdir(`${version}.new`);
    await copyFile(join(folder, 'model.onnx'), join(`${version}.new`, 'model.onnx'));
    await rename(`${version}.new`, version);
    const startMs = performance.now();
    await client.load('part');
    await load.reaches(String(swap + 1));
    swapMs.push(performance.now() - startMs);
    await rm(join(folder, 'models', 'part', String(swap)), { recursive: true });
    if (swap >= WARM_UP) memory.push(await settledMemory(cloud));
  }
  const { failed, latenciesMs } = await load.stop();
  const base = { bench: 'swaps', ratio: null, against: null, goal: null, met: null };
  const window = Math.max(1, Math.floor(memory.length / 5));
  const [before, after] = [median(memory.slice(0, window)), median(memory.slice(-window))];
  yield {
    ...base,
    case: `requests that failed in ${count} swaps, of ${latenciesMs.length + failed}`,
    value: failed,
    unit: 'requests',
    goal: '<= 0',
    met: failed === 0,
  };
  yield {
    bench: 'swaps',
    case: 'memory of gateway and workers, last fifth of the swaps',
    value: after / 1e6,
    unit: 'MB',
    against: `the first fifth (${(before / 1e6).toFixed(0)} MB)`,
    ratio: after / before,
    goal: '<= 1.05',
    met: after / before <= 1.05,
  };
  yield { ...base, case: 'from asking for a release to its first answer', value: median(swapMs), unit: 'ms' };
  yield { ...base, case: 'p99 of requests meanwhile', value: percentile(latenciesMs, 0.99), unit: 'ms' };
}

/** With one worker left: two are there while one takes over. */
async function settledMemory({ child }: CloudProcess): Promise<number> {
  const pid = child.pid ?? 0;
  for (;;) {
    const workers = childrenOf(pid);
    if (workers.length === 1) return [pid, ...workers].reduce((sum, one) => sum + rssOf(one), 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Requests one after the other, several at a time, until it is told to stop. */
class Load {
  readonly #client: Client;
  readonly #running: Promise<void>[];
  readonly #latenciesMs: number[] = [];
  #failed = 0;
  #version = '';
  #stopped = false;

  constructor(client: Client) {
    this.#client = client;
    this.#running = Array.from({ length: REQUESTS_IN_FLIGHT }, () => this.#run());
  }

  async reaches(version: string): Promise<void> {
    while (Number(this.#version) < Number(version)) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async stop(): Promise<{ failed: number; latenciesMs: number[] }> {
    this.#stopped = true;
    await Promise.all(this.#running);
    return { failed: this.#failed, latenciesMs: this.#latenciesMs.sort((a, b) => a - b) };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const startMs = performance.now();
      const version = await this.#client.infer('part');
      if (version === null) this.#failed++;
      else {
        this.#latenciesMs.push(performance.now() - startMs);
        this.#version = String(Math.max(Number(this.#version), Number(version)));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

class Client {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #token: string;
  readonly #input = Buffer.from(Float32Array.from({ length: ELEMENTS }, (_, at) => at).buffer);

  constructor({ port }: CloudProcess, ca: Buffer, token: string) {
    this.#agent = new Agent({ keepAlive: true, ca });
    this.#port = port;
    this.#token = token;
  }

  async load(name: string): Promise<void> {
    const { status, body } = await this.#post(`/v2/repository/models/${name}/load`, Buffer.alloc(0), {});
    if (status !== 200) throw new Error(body.toString('utf8'));
  }

  /** The version that answered; null when it failed. */
  async infer(name: string): Promise<string | null> {
    const { status, headers, body } = await this.#post(`/v2/models/${name}/infer`, this.#input, {
      'inference-header-content-length': '0',
    });
    const length = Number(headers['inference-header-content-length']);
    if (status !== 200 || body.byteLength - length !== this.#input.byteLength) return null;
    return (JSON.parse(body.subarray(0, length).toString('utf8')) as { model_version: string }).model_version;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(
    path: string,
    sent: Buffer,
    headers: Record<string, string>,
  ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
    return new Promise((resolve) => {
      const away = (): void => resolve({ status: 0, headers: {}, body: Buffer.alloc(0) });
      const all = { authorization: `Bearer ${this.#token}`, 'content-length': sent.byteLength, ...headers };
      const outgoing = request(
        { host: 'localhost', port: this.#port, method: 'POST', path, agent: this.#agent, headers: all },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', away);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      outgoing.on('error', away);
      outgoing.end(sent);
    });
  }
}

/** 4 MB of weights, so that what a release holds shows in memory when it is not given back. */
function model(): Uint8Array {
  const width = 1024;
  const weights = Float32Array.from({ length: width * width }, (_, at) => Math.sin(at) / width);
  return buildModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', ELEMENTS / 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', width] }],
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [{ name: 'w', tensor: float32Tensor([width, width], weights) }],
  });
}
