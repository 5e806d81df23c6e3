// Workers that die, hang or are left alone: real processes.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { payload } from './support/client.ts';
import { opened, serveModels } from './support/cloud.ts';
import { floats, powerModel, rowsModel, slowModel, temporaryFolder, writeModel } from './support/models.ts';

const sample = (seed: number): ReturnType<typeof floats> =>
  floats([1, 64], (i) => Math.fround(Math.sin(seed * 1000 + i)));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(done: () => boolean, timeoutMs = 8000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!done()) {
    if (Date.now() > endMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a worker', () => {
  it('that is killed mid-stream costs no frame, and each is answered once', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'slow', slowModel(3));
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'slow');
    const x = payload(
      'x',
      floats([1024, 1024], (i) => (i % 5) / 5),
    );
    const frames = Array.from({ length: 12 }, (_, index) => index + 1);
    for (const frame of frames) edge.frame(frame, [x], { deadlineMs: 30_000 });
    const killed: number[] = [];
    for (const after of [2, 5]) {
      await edge.until(() => edge.all('result').length >= after);
      await until(() => cloud.workerPids.length === 1 && !killed.includes(cloud.workerPids[0]!));
      killed.push(cloud.workerPids[0]!);
      process.kill(cloud.workerPids[0]!, 'SIGKILL');
    }
    for (const frame of frames) expect((await edge.answer(frame, 15_000)).type, `frame ${frame}`).toBe('result');
    expect(frames.map((frame) => edge.answersOf(frame).length)).toEqual(frames.map(() => 1));
    const bytes = edge.all('result').map(({ tensors }) => Buffer.from(tensors[0]!.bytes));
    for (const one of bytes) expect(one.equals(bytes[0]!)).toBe(true);
    expect(cloud.events.filter(({ event }) => event === 'worker-lost')).toHaveLength(2);
    expect(killed.some(isAlive)).toBe(false);
  });

  it('that hangs is killed; a frame that does it twice is refused, and others are served', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'power', powerModel(400));
    const cloud = await serveModels(dir, { limits: { runTimeoutMs: 400 }, batching: { enabled: false } });
    const edge = await opened(cloud, 'power');
    const small = payload(
      'x',
      floats([2, 2], () => 0),
    );
    const large = payload(
      'x',
      floats([1200, 1200], () => 0),
    );
    edge.frame(1, [large]);
    edge.frame(2, [small]);
    expect(await edge.answer(1)).toMatchObject({ code: 'WORKER_LOST' });
    expect((await edge.answer(2)).type).toBe('result');
    edge.frame(3, [large]);
    expect(await edge.answer(3)).toMatchObject({ code: 'BACKEND_FAILED' });
    edge.frame(4, [small]);
    await edge.result(4);
    expect(cloud.events.filter(({ event }) => event === 'worker-lost').map(({ reason }) => reason)).toEqual([
      'hung',
      'hung',
    ]);
  });

  it('that dies while frames have no time left answers WORKER_LOST, and the next frame is served', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'slow', slowModel(40));
    const cloud = await serveModels(dir);
    const edge = await opened(cloud, 'slow');
    const x = payload(
      'x',
      floats([1024, 1024], () => 0),
    );
    edge.frame(1, [x], { deadlineMs: 300 });
    await new Promise((resolve) => setTimeout(resolve, 320));
    process.kill(cloud.workerPids[0]!, 'SIGKILL');
    expect(await edge.answer(1)).toMatchObject({ code: 'WORKER_LOST', credits: 1 });
  });

  it('serves beside others of the same model', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir, { limits: { workersPerModel: 2 }, batching: { enabled: false } });
    const edge = await opened(cloud, 'rows');
    await until(() => cloud.events.filter(({ event }) => event === 'worker-ready').length === 2);
    for (let frame = 1; frame <= 16; frame++) edge.frame(frame, [payload('x', sample(frame))]);
    for (let frame = 1; frame <= 16; frame++) await edge.result(frame);
  });

  it('is gone when the cloud is closed, and when its process is killed', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'rows', rowsModel());
    const cloud = await serveModels(dir, { preload: ['rows'] });
    const pids = [...cloud.workerPids];
    expect(pids.map(isAlive)).toEqual([true]);
    await cloud.close();
    await until(() => !pids.some(isAlive));

    writeModel(dir, 'power', powerModel(400));
    const gateway = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        GATEWAY,
        fileURLToPath(new URL('../dist/index.js', import.meta.url)),
        dir,
        temporaryFolder(),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [pid, port] = await new Promise<number[]>((resolve) =>
      gateway.stdout.once('data', (data: Buffer) => resolve(data.toString().split(' ').map(Number))),
    );
    expect(isAlive(pid!)).toBe(true);
    // While a run of a minute blocks the runtime's thread.
    const size = 1200;
    const x = { name: 'x', datatype: 'FP32', shape: [size, size], parameters: { binary_data_size: size * size * 4 } };
    const head = Buffer.from(JSON.stringify({ inputs: [x] }));
    const ask = fetch(`http://127.0.0.1:${port}/v2/models/power/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(head.byteLength) },
      body: Buffer.concat([head, Buffer.alloc(size * size * 4)]),
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    gateway.kill('SIGKILL');
    await expect(ask).rejects.toThrow();
    await until(() => !isAlive(pid!));
  });
});

const GATEWAY = `
const [library, modelsDir, stateDir] = process.argv.slice(1);
const { startCloud } = await import(library);
const cloud = await startCloud({ modelsDir, stateDir, port: 0, auth: { kind: 'none' }, tls: { kind: 'insecure' }, preload: ['power'] });
process.stdout.write(cloud.workerPids[0] + ' ' + cloud.port);
`;
