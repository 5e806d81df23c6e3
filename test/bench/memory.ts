// How much memory does cutting a large model take? `kerf split` as a process, against the largest file that it writes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildInitializer, buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor } from '@kerf/protocol';
import type { Bench, BenchRow } from './bench.ts';

const KERF = fileURLToPath(new URL('../../packages/cli/bin/kerf.js', import.meta.url));
const MIB = 2 ** 20;

/** Weights of one layer: float32[3500, 3500]. */
const WIDTH = 3500;
const LAYERS = 10;
const SAMPLE_MS = 10;

/** The goal of a run: so many times the largest file, and no less than this. */
const GOAL_RATIO = 1.3;
const GOAL_FLOOR_BYTES = 300 * MIB;

export const memory: Bench = {
  name: 'memory',
  summary: `kerf split of a ${Math.round((LAYERS * WIDTH * WIDTH * 4) / 1e6)} MB model, against the largest file it writes`,
  async *run() {
    if (process.platform !== 'linux') return;
    for (const isExternal of [false, true]) {
      for (const cut of [LAYERS / 2, LAYERS - 1]) yield* measured(isExternal, cut);
    }
  },
};

async function* measured(isExternal: boolean, layersInHead: number): AsyncIterable<BenchRow> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
  try {
    const file = join(folder, 'model.onnx');
    await writeModel(file, isExternal);
    const out = join(folder, 'out');
    const peak = await peakOf([KERF, 'split', file, '--at', `a${layersInHead - 1}`, '--out', out]);
    const largest = Math.max(...readdirSync(out).map((name) => statSync(join(out, name)).size));
    const allowed = Math.max(GOAL_RATIO * largest, GOAL_FLOOR_BYTES);
    const base = { bench: 'memory', unit: 'MB', against: `the largest file, ${Math.round(largest / 1e6)} MB` };
    const name = `${isExternal ? 'external data' : 'one file'}, ${layersInHead} of ${LAYERS} layers in the head`;
    const row = (what: string, bytes: number, isGoal: boolean): BenchRow => ({
      ...base,
      case: `${name}: ${what}`,
      value: bytes / 1e6,
      ratio: bytes / largest,
      goal: isGoal ? `<= ${(allowed / largest).toFixed(2)}` : null,
      met: isGoal ? bytes <= allowed : null,
    });
    yield row('largest process', peak.largestBytes, true);
    yield row('all together', peak.sumBytes, false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A chain of matrix products and activations. The weights are different numbers, written layer by layer. */
async function writeModel(file: string, isExternal: boolean): Promise<void> {
  const weight = new Float32Array(WIDTH * WIDTH);
  const names = Array.from({ length: LAYERS }, (_, at) => `w${at}`);
  const layerBytes = weight.byteLength;
  const initializers = names.map((name, at): BuildInitializer => {
    const tensor = float32Tensor([WIDTH, WIDTH], isExternal ? weight : filled(weight, at));
    return isExternal
      ? { name, tensor, external: { location: 'weights.bin', offset: at * layerBytes } }
      : { name, tensor };
  });
  const bytes = buildModel({
    nodes: names.flatMap((name, at) => [
      { op: 'MatMul', inputs: [at === 0 ? 'x' : `a${at - 1}`, name], outputs: [`m${at}`] },
      { op: 'Sigmoid', inputs: [`m${at}`], outputs: [`a${at}`] },
    ]),
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, WIDTH] }],
    outputs: [{ name: `a${LAYERS - 1}` }],
    initializers,
  });
  const model = await open(file, 'w');
  await model.writeFile(bytes);
  await model.close();
  if (!isExternal) return;
  const data = await open(join(file, '..', 'weights.bin'), 'w');
  for (let at = 0; at < LAYERS; at++) await data.writeFile(bytesOf(filled(weight, at)));
  await data.close();
}

function filled(values: Float32Array, seed: number): Float32Array {
  return values.map((_, at) => ((at * 7919 + seed * 104_729) % 1000) / 1e5);
}

interface Peak {
  /** The process with the highest resident size (VmHWM). */
  readonly largestBytes: number;
  /** Resident sizes of all processes at one moment, sampled. */
  readonly sumBytes: number;
}

/** Runs Node with arguments and watches it and its children. */
async function peakOf(args: readonly string[]): Promise<Peak> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  let largestBytes = 0;
  let sumBytes = 0;
  const timer = setInterval(() => {
    const sizes = processTree(child.pid ?? 0).map(residentSize);
    largestBytes = Math.max(largestBytes, ...sizes.map(({ peakBytes }) => peakBytes));
    sumBytes = Math.max(
      sumBytes,
      sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }, SAMPLE_MS);
  const [status] = (await ended) as [number | null];
  clearInterval(timer);
  if (status !== 0) throw new Error(`kerf split ended with status ${status}`);
  return { largestBytes, sumBytes };
}

function processTree(pid: number): number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function residentSize(pid: number): { bytes: number; peakBytes: number } {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  return { bytes: field('VmRSS'), peakBytes: field('VmHWM') };
}

/** Empty once the process is gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
