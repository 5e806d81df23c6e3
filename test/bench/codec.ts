// Codecs of activations: time for 200,000 values in Node and in Chromium, next to zlib and to a plain copy; and the level
// coder's bytes against its models' own entropy.
import { deflateSync, inflateSync } from 'node:zlib';
import { nodeBackend } from '@kerf/edge-runtime/node';
import {
  type ActivationCodec,
  type Backend,
  elementCount,
  encodeActivation,
  encodeLevels,
  quantiseLevels,
  type Tensor,
  typedView,
} from '@kerf/protocol';
import { runHead } from '@kerf/splitter';
import { plainLevels } from '../support/plain-level-decoder.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './bench.ts';
import { type BrowserTimes, browserTimes } from './rate/browser.ts';
import { openCuts } from './rate/cuts.ts';
import { entropyOf } from './rate/entropy.ts';
import type { CodingTimes } from './rate/result.ts';
import { inputsOf, type RateSubject, rateSubjects } from './rate/subjects.ts';
import { type KnownTable, knownTables } from './rate/tables.ts';
import { timedCodec } from './rate/times.ts';

const VALUES = 200_000;
const MAX_MS = 5;
const MAX_BROWSER = 2;
/** Coded bytes over the bits that the coder's models ask for. */
const MAX_OVERHEAD = 1.05;
const FRAMES = 4;
const ROUNDS = 12;
/** Smaller activations say nothing of a large one: fixed costs. */
const LEAST_VALUES = 20_000;

export const codec: Bench = {
  name: 'codec',
  summary: 'time of the codecs for 200,000 values, and the level coder against its own models',
  async *run(options) {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
    const browser = await browserTimes(ROUNDS);
    if (browser === null) console.log('  skipped: Chromium: there is none');
    try {
      for (const { known, table } of await knownTables()) {
        const subject = await subjectOf(known, options);
        if (subject === null) continue;
        const activations = await activationsOf(subject, known, backend);
        const name = `${subject.name}, ${activations[0]!.shape.slice(1).join('x')}`;
        const codecs: [string, ActivationCodec][] = [
          ['lossless', { kind: 'lossless' }],
          ['float16', { kind: 'float16' }],
          ['uint8', { kind: 'uint8', channelAxis: null }],
          ['uint8 per channel', { kind: 'uint8', channelAxis: 1 }],
          [`levels, ${known.bitsPerValue.toFixed(2)} bit`, { kind: 'levels', table }],
        ];
        if (elementCount(activations[0]!.shape) >= LEAST_VALUES) {
          yield* times(name, codecs, activations, browser);
        }
        yield* overhead(name, { kind: 'levels', table }, activations);
      }
    } finally {
      await browser?.close();
      await backend.dispose();
    }
  },
};

async function subjectOf(known: KnownTable, { only }: BenchOptions): Promise<RateSubject | null> {
  if (only !== null && !known.subject.includes(only)) return null;
  const found = (await rateSubjects()).find(({ name }) => name === known.subject);
  if (found === undefined) throw new TypeError(`a table is of ${known.subject}, which no bench knows`);
  if (!('missing' in found)) return found;
  console.log(`  skipped: ${found.name}: ${found.missing}`);
  return null;
}

async function activationsOf(
  subject: RateSubject,
  { cut: tensors, tensor }: KnownTable,
  backend: Backend,
): Promise<Tensor[]> {
  const inputs = (await subject.samples('test', FRAMES)).map(({ picture }) => inputsOf(subject, picture));
  const [cut] = await openCuts(subject.path, inputs[0]!, backend, [tensors]);
  const activations: Tensor[] = [];
  for (const input of inputs) activations.push((await runHead(cut!.split, input)).crossing.get(tensor)!);
  await cut!.dispose();
  return activations;
}

/** Everything in one run, one behind the other, on the same activations. */
async function* times(
  name: string,
  codecs: readonly [string, ActivationCodec][],
  activations: readonly Tensor[],
  browser: BrowserTimes | null,
): AsyncIterable<BenchRow> {
  const scale = VALUES / elementCount(activations[0]!.shape);
  const row = (what: string, ms: number, rest: Partial<BenchRow>): BenchRow => ({
    bench: 'codec',
    case: `${name}: ${what}`,
    value: ms * scale,
    unit: 'ms',
    against: null,
    ratio: null,
    goal: null,
    met: null,
    ...rest,
  });
  const copy = median(repeated(activations, ({ data }) => data.slice()).map(({ ms }) => ms));
  yield row('copy of the raw tensor', copy, {});
  const bytes = activations.map(uint8Steps);
  const packed = bytes.map((steps) => deflateSync(steps, { level: 6 }));
  const deflated = median(repeated(bytes, (steps) => deflateSync(steps, { level: 6 })).map(({ ms }) => ms));
  const inflated = median(repeated(packed, (steps) => inflateSync(steps)).map(({ ms }) => ms));
  const bits = packed.reduce((sum, { byteLength }) => sum + 8 * byteLength, 0) / (FRAMES * bytes[0]!.byteLength);
  yield row(`encode zlib of the uint8 tensor, ${bits.toFixed(2)} bit`, deflated, {});
  yield row('decode zlib of the uint8 tensor', inflated, {});
  const zlib: CodingTimes = { encodeMs: deflated, decodeMs: inflated };
  for (const [label, one] of codecs) {
    const here = timedCodec(one, activations, ROUNDS);
    const there = browser === null ? null : await browser.codec(one, activations);
    for (const part of ['encode', 'decode'] as const) {
      const ms = here[`${part}Ms`];
      const isPromised = one.kind === 'levels';
      yield row(`${part} ${label}`, ms, {
        against: 'zlib',
        ratio: ms / zlib[`${part}Ms`],
        ...(isPromised ? { goal: `<= ${MAX_MS} ms`, met: ms * scale <= MAX_MS } : {}),
      });
      if (there === null) continue;
      const ratio = there[`${part}Ms`] / ms;
      yield row(`${part} ${label}, in Chromium`, there[`${part}Ms`], {
        against: 'Node',
        ratio,
        ...(isPromised ? { goal: `<= ${MAX_BROWSER}`, met: ratio <= MAX_BROWSER } : {}),
      });
    }
  }
}

function repeated<T>(inputs: readonly T[], run: (input: T) => unknown): { ms: number }[] {
  const times: { ms: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const input of inputs) {
      const startMs = performance.now();
      run(input);
      if (round > 0) times.push({ ms: performance.now() - startMs });
    }
  }
  return times;
}

/** 256 even steps between the least and the largest value. */
function uint8Steps(tensor: Tensor): Uint8Array {
  const values = typedView(tensor as Tensor & { dtype: 'float32' });
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Uint8Array.from(values, (value) => Math.round((255 * (value - low)) / Math.max(high - low, 1e-30)));
}

/** Payload bytes against the bits that the models of the coder give its choices, as a decoder of its own counts them. */
function* overhead(
  name: string,
  { table }: ActivationCodec & { kind: 'levels' },
  activations: readonly Tensor[],
): Iterable<BenchRow> {
  let coded = 0;
  let models = 0;
  let orderZero = 0;
  let values = 0;
  for (const tensor of activations) {
    const levels = quantiseLevels(typedView(tensor as Tensor & { dtype: 'float32' }), tensor.shape, table);
    const payload = encodeLevels(levels, tensor.shape, table);
    if (encodeActivation(tensor, { kind: 'levels', table }).bytes.byteLength !== payload.byteLength) {
      throw new TypeError('the codec makes another payload');
    }
    coded += 8 * payload.byteLength;
    models += plainLevels(payload, tensor.shape, table).modelBits;
    orderZero += entropyOf(levels) * levels.length;
    values += levels.length;
  }
  const row = { bench: 'codec', value: coded / values, unit: 'bit/value' };
  yield {
    ...row,
    case: `${name}: coded, against its models`,
    against: `its models' entropy, ${(models / values).toFixed(3)} bit`,
    ratio: coded / models,
    goal: `<= ${MAX_OVERHEAD}`,
    met: coded <= models * MAX_OVERHEAD,
  };
  yield {
    ...row,
    case: `${name}: coded, against order 0`,
    against: `order-0 entropy, ${(orderZero / values).toFixed(3)} bit`,
    ratio: coded / orderZero,
    goal: null,
    met: null,
  };
}
