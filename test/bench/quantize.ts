// What do quantised forms gain and cost? `kerf quantize` on the reference model, as users run it, and the files in WASM.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { KERF_BIN } from '@kerf/cli';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { modelFile, PICTURE_SIZE, writeDataset } from '@kerf/models';
import { type Bench, type BenchRow, interleave } from './bench.ts';
import { timeInChromium } from './quantize/in-chromium.ts';
import { madeUpInput } from './quantize/made-up-input.ts';

const FORMS = ['static', 'fp16', 'weights', 'dynamic'] as const;
const CALIBRATION = 48;
const TEST = { short: 60, full: 300 };
const SHAPE = [1, 3, PICTURE_SIZE, PICTURE_SIZE];
const WASM_ROUNDS = 7;

interface Report {
  readonly bytesRatio: number;
  readonly quantized: { readonly bytes: number } | null;
  readonly loss: {
    readonly lossPoints: number;
    readonly lossInterval: { readonly low: number; readonly high: number };
  };
  readonly time: { readonly quantizedMs: number; readonly ratio: number } | null;
}

export const quantize: Bench = {
  name: 'quantize',
  summary: 'forms of the reference model against float32: bytes, time of a run, points of pixel IoU',
  async *run({ full, only }) {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    try {
      await writeDataset(folder, { split: 'calibration', count: CALIBRATION });
      await writeDataset(folder, { split: 'test', count: full ? TEST.full : TEST.short });
      for (const form of FORMS) if (only === null || only === form) yield* measureForm(form, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function* measureForm(form: (typeof FORMS)[number], folder: string): AsyncIterable<BenchRow> {
  const model = modelFile('surface-v1');
  const out = join(folder, `${form}.onnx`);
  const samples = ['--samples', join(folder, 'calibration'), '--test', join(folder, 'test')];
  const args = [KERF_BIN, 'quantize', model, '--form', form, ...samples, '--out', out, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 2 ** 20 });
  const { bytesRatio, quantized, loss, time } = JSON.parse(stdout) as Report;
  if (quantized === null || time === null) throw new Error(`${form} was not written`);
  const isStatic = form === 'static';
  const row = (of: string, value: number, unit: string, ratio: number | null, goal: number | null): BenchRow => ({
    bench: 'quantize',
    case: `${form}, ${of}`,
    value,
    unit,
    against: ratio === null ? null : 'float32',
    ratio,
    goal: goal === null ? null : `<= ${goal}`,
    met: goal === null ? null : (ratio ?? value) <= goal,
  });
  yield row('bytes', quantized.bytes / 1e6, 'MB', bytesRatio, isStatic ? 0.28 : null);
  yield row('a run, onnxruntime-node', time.quantizedMs, 'ms', time.ratio, isStatic ? 0.4 : null);
  const wasm = await inWasm(model, out);
  yield row('a run, WASM in Node', wasm.ours, 'ms', wasm.ratio, null);
  const chromium = await timeInChromium(out, model, SHAPE, WASM_ROUNDS);
  if (typeof chromium === 'string') console.log(`  no row of Chromium: ${chromium}`);
  else {
    yield row(`a run, WASM in Chromium ${chromium.version}`, chromium.ours, 'ms', chromium.ratio, null);
    yield row('furthest output, Chromium from Node', chromium.furthest * 1e6, 'millionths', null, null);
  }
  const { low, high } = loss.lossInterval;
  const limit = isStatic ? 1 : null;
  yield row(`loss (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`, loss.lossPoints, 'points', null, limit);
}

async function inWasm(whole: string, quantized: string): Promise<{ ours: number; ratio: number }> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-web', inThisThread: true });
  try {
    const inputs = madeUpInput(SHAPE);
    const [ours, theirs] = [await backend.load({ path: quantized }), await backend.load({ path: whole })];
    return await interleave(
      () => ours.run(inputs),
      () => theirs.run(inputs),
      { warmUp: 2, rounds: WASM_ROUNDS },
    );
  } finally {
    await backend.dispose();
  }
}
