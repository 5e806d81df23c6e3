// How much memory does cutting a large model take? `kerf split` as a process, against the largest file that it writes.
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildInitializer, buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor } from '@kerf/protocol';
import type { Bench, BenchRow } from './bench.ts';
import { peakOf } from './peak-memory.ts';

const KERF = fileURLToPath(new URL('../../packages/cli/bin/kerf.js', import.meta.url));
const MIB = 2 ** 20;

/** Weights of one layer: float32[3500, 3500]. */
const WIDTH = 3500;
const LAYERS = 10;

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
