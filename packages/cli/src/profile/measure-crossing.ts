// `kerf serve` on loopback with a model that does nothing -> what a frame costs on its way, beside link and compute.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { EdgeSession } from '@kerf/edge-runtime';
import { wsConnect } from '@kerf/edge-runtime/node';
import { buildModel } from '@kerf/onnx';
import { type Clock, float32Tensor, KerfError, messageOf } from '@kerf/protocol';
import type { CrossingCost } from '@kerf/splitter';
import { type CloudProcess, startCloudProcess } from '../cloud-process.ts';

export interface MeasuredCrossing {
  readonly crossing: CrossingCost | null;
  /** Why there is none; null where there is. */
  readonly note: string | null;
}

const MODEL_ID = 'nothing';
/** Values of float32: about a kilobyte, and a megabyte. */
const FEW_VALUES = 256;
const MANY_VALUES = 250_000;
const BYTES_PER_VALUE = 4;
const WARM_UP_ROUNDS = 10;
const ROUNDS = 40;
/** On a slow device fewer rounds must do. */
const MEASURE_MS = 15_000;
const CONNECT_TIMEOUT_MS = 20_000;

/** TLS is on, as it is in use; the link is this machine's own. Takes a few seconds. */
export async function measureCrossing(tell: (text: string) => void, clock: Clock): Promise<MeasuredCrossing> {
  tell('the way through session and gateway');
  const folder = await mkdtemp(join(tmpdir(), 'kerf-crossing-'));
  try {
    return { crossing: await withCloud(folder, (cloud) => measureWith(cloud, clock)), note: null };
  } catch (error) {
    return { crossing: null, note: messageOf(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes any number of values, gives the largest: an answer of four bytes. */
function idleModel(): Uint8Array {
  return buildModel({
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['same'] },
      { op: 'ReduceMax', inputs: ['same'], outputs: ['largest'], attributes: { keepdims: 0 } },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['values'] }],
    outputs: [{ name: 'largest', dtype: 'float32', shape: [] }],
  });
}

async function withCloud<T>(folder: string, use: (cloud: CloudProcess) => Promise<T>): Promise<T> {
  const models = join(folder, 'models');
  await mkdir(models);
  await writeFile(join(models, `${MODEL_ID}.onnx`), idleModel());
  const state = ['--state', join(folder, 'state')];
  const cloud = await startCloudProcess(['--models', models, ...state, '--port', '0', '--no-auth', '--max-batch', '1']);
  // A signal that ends this process must not leave the cloud behind.
  const end = (signal: NodeJS.Signals): void => {
    cloud.child.kill('SIGKILL');
    process.kill(process.pid, signal);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    return await use(cloud);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await cloud.stop();
  }
}

async function measureWith({ url, certificatePath }: CloudProcess, clock: Clock): Promise<CrossingCost> {
  const ca = certificatePath === null ? {} : { ca: await readFile(certificatePath, 'utf8') };
  const target = { model: MODEL_ID, connect: wsConnect({ url, ...ca }), token: async () => null };
  const session = await EdgeSession.open({ split: null, head: null, local: null, cloud: target });
  try {
    const state = await session.waitForCloud(CONNECT_TIMEOUT_MS);
    if (!state.connected) throw new KerfError(state.code, state.message);
    const [few, many] = [FEW_VALUES, MANY_VALUES].map((values) => timedFrames(session, values));
    if (few === undefined || many === undefined) throw new KerfError('INTERNAL', 'no frames');
    const untilMs = clock.nowMs() + MEASURE_MS;
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS && clock.nowMs() < untilMs; round++) {
      if (round === WARM_UP_ROUNDS) few.samplesMs.length = many.samplesMs.length = 0;
      await few.run();
      await many.run();
    }
    return crossingOf(middle(few.samplesMs), middle(many.samplesMs));
  } finally {
    session.close();
  }
}

function timedFrames(session: EdgeSession, values: number) {
  const inputs = new Map([['x', float32Tensor([values], new Float32Array(values).fill(0.5))]]);
  const samplesMs: number[] = [];
  const run = async (): Promise<void> => {
    const outcome = await session.infer(inputs);
    if (outcome.kind === 'failed') throw new KerfError(outcome.code, outcome.message);
    const { totalMs, cloud } = outcome.spans;
    samplesMs.push(totalMs - (cloud?.computeMs ?? 0));
  };
  return { run, samplesMs };
}

/** A line through two points; noise may turn it over, and no cost is below zero. */
export function crossingOf(fewMs: number, manyMs: number): CrossingCost {
  const megabytesOf = (values: number): number => (values * BYTES_PER_VALUE) / 1e6;
  const [few, many] = [megabytesOf(FEW_VALUES), megabytesOf(MANY_VALUES)];
  const perMegabyteMs = Math.max(0, (manyMs - fewMs) / (many - few));
  return { perFrameMs: rounded(Math.max(0, fewMs - perMegabyteMs * few)), perMegabyteMs: rounded(perMegabyteMs) };
}

function middle(samplesMs: readonly number[]): number {
  return [...samplesMs].sort((left, right) => left - right)[samplesMs.length >> 1] ?? 0;
}

function rounded(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}
