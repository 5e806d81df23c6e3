// Many edges on one gateway: what an idle session costs, and how many frames of 8 KB a second five hundred of them get through.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloudProcess, startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import { EdgeSession } from '@kerf/edge-runtime';
import { wsConnect } from '@kerf/edge-runtime/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import type { Bench, BenchRow } from './bench.ts';
import { openLoop, percentile } from './serving/open-loop.ts';
import { childrenOf, cpuMsOf, rssOf } from './serving/process-stats.ts';

const ELEMENTS = 2048;
const ACTIVE = 500;
const WANTED_PER_SECOND = 5000;
/** Sustained: nearly all answered, and none of them late. */
const ANSWERED = 0.99;
const P99_MS = 100;

export const sessions: Bench = {
  name: 'sessions',
  summary: `idle sessions on one gateway, and ${ACTIVE} that send 8 KB frames; the load comes from the same two cores`,
  async *run({ full }) {
    growHeapFreely(); // as `kerf station` does
    if (process.platform !== 'linux') return;
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    await mkdir(join(folder, 'models'));
    await writeFile(join(folder, 'models', 'same.onnx'), identity());
    const serve = ['--models', join(folder, 'models'), '--state', join(folder, 'state'), '--port', '0'];
    const cloud = await startCloudProcess([...serve, '--preload', 'same', '--accept-late']);
    const key = await readFile(join(folder, 'state', 'token-private.pem'), 'utf8');
    const token = await issueToken({ privateKeyPem: key, subject: 'bench', models: ['*'], expiresInSeconds: 3600 });
    const connect = wsConnect({ url: cloud.url, ca: await readFile(cloud.certificatePath ?? '') });
    const open: EdgeSession[] = [];
    try {
      yield* idle(cloud, open, () => openOne(connect, token), full ? 5000 : 1000);
      for (const session of open.splice(ACTIVE)) session.close();
      yield* active(cloud, open, full ? 8 : 3);
    } finally {
      for (const session of open) session.close();
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function openOne(connect: ReturnType<typeof wsConnect>, token: string): Promise<EdgeSession> {
  const session = await EdgeSession.open({
    split: null,
    head: null,
    local: null,
    cloud: { model: 'same', connect, token },
    options: { connectTimeoutMs: 60_000, pingIntervalMs: 60_000, peerTimeoutMs: 180_000, deadlineMs: 5000 },
  });
  const state = await session.waitForCloud(60_000);
  if (!state.connected) throw new Error('a session was not opened');
  return session;
}

async function* idle(
  cloud: CloudProcess,
  open: EdgeSession[],
  openMore: () => Promise<EdgeSession>,
  count: number,
): AsyncIterable<BenchRow> {
  const pid = cloud.child.pid ?? 0;
  // The first ones pay for compiled code and buffers that all share.
  for (let opened = 0; opened < 100; opened += 20) open.push(...(await many(20, openMore)));
  const before = rssOf(pid);
  const startMs = performance.now();
  while (open.length < 100 + count) open.push(...(await many(Math.min(50, 100 + count - open.length), openMore)));
  const seconds = (performance.now() - startMs) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const base = { bench: 'sessions', against: null, ratio: null, goal: null, met: null };
  const perSession = (rssOf(pid) - before) / count / 1024;
  yield {
    ...base,
    case: `gateway's memory for each of ${count} idle sessions (TLS 1.3, one link each)`,
    value: perSession,
    unit: 'KiB',
  };
  yield {
    ...base,
    case: 'sessions opened a second, 50 at a time, edges on the same cores',
    value: count / seconds,
    unit: '1/s',
  };
}

function many(count: number, make: () => Promise<EdgeSession>): Promise<EdgeSession[]> {
  return Promise.all(Array.from({ length: count }, make));
}

async function* active(cloud: CloudProcess, open: readonly EdgeSession[], seconds: number): AsyncIterable<BenchRow> {
  const inputs = Array.from({ length: 32 }, (_, seed) =>
    float32Tensor(
      [1, ELEMENTS],
      Float32Array.from({ length: ELEMENTS }, (_value, at) => at * seed),
    ),
  );
  const send = async (index: number): Promise<boolean> => {
    const x = inputs[index % inputs.length];
    if (x === undefined) return false;
    const outcome = await (open[index % open.length] as EdgeSession).infer(new Map([['x', x]]));
    return outcome.kind === 'result' && outcome.outputs.get('y')?.data.byteLength === ELEMENTS * 4;
  };
  await openLoop({ perSecond: 300, seconds: 3, arrivals: 'uniform', seed: 1, send });
  const base = { bench: 'sessions', unit: 'frames/s' };
  let best: { perSecond: number; p99: number; cause: string } | null = null;
  for (const offered of [500, 1000, 1500, 2000, 2500, 3000, 4000, WANTED_PER_SECOND]) {
    const before = usage(cloud);
    const startMs = performance.now();
    const { sent, answered, perSecond, latenciesMs } = await openLoop({
      perSecond: offered,
      seconds,
      arrivals: 'uniform',
      seed: 2,
      send,
    });
    const cause = causeOf(before, usage(cloud), performance.now() - startMs, answered);
    const p99 = percentile(latenciesMs, 0.99);
    if (answered < ANSWERED * sent || perSecond < 0.95 * offered || p99 > P99_MS) break;
    best = { perSecond, p99, cause };
  }
  yield {
    ...base,
    case: `sustained by ${open.length} sessions (p99 ${best?.p99.toFixed(0) ?? '-'} ms); ${best?.cause ?? 'not even 500'}`,
    value: best?.perSecond ?? 0,
    against: `${WANTED_PER_SECOND} frames/s`,
    ratio: (best?.perSecond ?? 0) / WANTED_PER_SECOND,
    goal: '>= 0.95',
    met: (best?.perSecond ?? 0) >= 0.95 * WANTED_PER_SECOND,
  };
}

interface Usage {
  readonly gateway: number;
  readonly workers: number;
  readonly edges: number;
}

function usage({ child }: CloudProcess): Usage {
  const pid = child.pid ?? 0;
  const workers = childrenOf(pid).reduce((sum, one) => sum + cpuMsOf(one), 0);
  return { gateway: cpuMsOf(pid), workers, edges: cpuMsOf(process.pid) };
}

/** Where the processors' time went: what is near a whole core is the limit. */
function causeOf(before: Usage, after: Usage, wallMs: number, frames: number): string {
  const share = (name: keyof Usage): string => {
    const ms = after[name] - before[name];
    return `${name} ${((100 * ms) / wallMs).toFixed(0)} % of a core, ${((1000 * ms) / frames).toFixed(0)} us a frame`;
  };
  return [share('gateway'), share('workers'), share('edges')].join('; ');
}

function identity(): Uint8Array {
  return buildModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', ELEMENTS] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', ELEMENTS] }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}
