// Programs that no encoder writes, well coded and under an index that fits: each is refused, or makes what its index says, in a
// time and a memory that its output bounds. KERF_FUZZ_RUNS sets how many by chance, KERF_FUZZ_SEED where to start.
import { KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { ALL_CONTEXTS, decodeSegment } from '../src/apply/decode-segment.ts';
import { memoryReader } from '../src/byte-reader.ts';
import { BitEncoder } from '../src/coder/bit-coder.ts';
import { ByteSink } from '../src/coder/byte-io.ts';
import { TokenWriter } from '../src/coder/token-stream.ts';
import { ELEMENT_KINDS } from '../src/format/element-kinds.ts';
import { MAX_SEGMENT_BASE_BYTES, MAX_SEGMENT_BYTES } from '../src/format/limits.ts';
import { baseBytesOf, outputBytesOf } from '../src/format/operation-sizes.ts';
import type { BaseRange, Operation } from '../src/format/operations.ts';
import { writeProgram } from '../src/format/write-program.ts';

const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};
const RUNS = Number(env['KERF_FUZZ_RUNS'] ?? 400);
const SEED = Number(env['KERF_FUZZ_SEED'] ?? 20_261_126);
/** The machine may be busy: what is looked for takes minutes. */
const MAX_RUN_MS = 15_000;

const base = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 131) & 255);
const scratch = base.subarray(0, 5_000);

interface Streams {
  readonly dictionary?: readonly BaseRange[];
  readonly text?: Uint8Array;
  readonly tokens?: readonly number[];
  readonly raw?: Uint8Array;
  readonly patches?: Uint8Array;
}

function payloadOf(operations: readonly Operation[], streams: Streams = {}): Uint8Array {
  const control = new ByteSink(1024);
  const coder = new BitEncoder(control);
  writeProgram(coder, { dictionary: streams.dictionary ?? [], operations });
  const tokens = new TokenWriter(ALL_CONTEXTS);
  for (const token of streams.tokens ?? []) tokens.put(0, token);
  const { words } = tokens.finish(coder);
  coder.finish();
  const none = new Uint8Array(0);
  const payload = new ByteSink(1024);
  for (const part of [control.written(), streams.text ?? none, words, streams.raw ?? none, streams.patches ?? none]) {
    payload.number(part.byteLength);
    payload.append(part);
  }
  return payload.written();
}

/** Under an index that says of it what it says of itself. */
async function decoded(operations: readonly Operation[], streams: Streams = {}): Promise<Uint8Array> {
  const made = operations.reduce((sum, operation) => sum + outputBytesOf(operation), 0);
  const read = operations.reduce((sum, operation) => sum + baseBytesOf(operation), 0);
  const known = (streams.dictionary ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = Math.min(MAX_SEGMENT_BYTES, Math.max(1, made));
  const baseBytes = Math.min(MAX_SEGMENT_BASE_BYTES, read + known);
  return await decodeSegment({ bytes, baseBytes }, payloadOf(operations, streams), memoryReader(base), scratch);
}

const levels = { rows: Int32Array.of(4), columns: new Int32Array(0) };
const matrix = { kind: 0, rows: 10, columns: 10, base: 0, levels };
const tensor = { kind: 0, dims: [10, 10], axes: [1, 0], base: 0, levels };
const rule = {
  from: 0,
  zero: 0,
  isUnsigned: false,
  threshold: 0,
  scaleBy: 'whole' as const,
  scales: Float64Array.of(1),
};

describe('programs that are refused', () => {
  const far = Number.MAX_SAFE_INTEGER / 8;
  test.each<[string, readonly Operation[], Streams]>([
    ['nothing', [], {}],
    ['a copy from before the base', [{ op: 'copy', offset: -1, bytes: 10 }], {}],
    ['a copy over its end', [{ op: 'copy', offset: base.length - 5, bytes: 10 }], {}],
    ['a copy from very far', [{ op: 'copy', offset: far, bytes: 10 }], {}],
    [
      'a copy of nothing',
      [
        { op: 'copy', offset: 0, bytes: 0 },
        { op: 'copy', offset: 0, bytes: 5 },
      ],
      {},
    ],
    ['a scratch over its end', [{ op: 'scratch', offset: scratch.length - 1, bytes: 2 }], {}],
    ['a scratch from very far', [{ op: 'scratch', offset: far, bytes: 2 }], {}],
    ['a text without a stream', [{ op: 'text', bytes: 10_000 }], {}],
    ['a dictionary without a text', [{ op: 'copy', offset: 0, bytes: 9 }], { dictionary: [{ offset: 0, bytes: 9 }] }],
    ['a dictionary over the base', [{ op: 'text', bytes: 9 }], { dictionary: [{ offset: 69_999, bytes: 9 }] }],
    ['a matrix whose size wraps', [{ op: 'differences', ...matrix, rows: 2 ** 26, columns: 2 ** 26 }], {}],
    ['a matrix without rows', [{ op: 'differences', ...matrix, rows: 0 }], {}],
    ['a matrix over the base', [{ op: 'differences', ...matrix, base: base.length - 1 }], {}],
    ['differences without values', [{ op: 'differences', ...matrix }], {}],
    ['a snap of whole numbers', [{ op: 'snap', ...matrix, kind: 5, step: 1, corrections: [] }], {}],
    ['a step that is no number', [{ op: 'snap', ...matrix, step: Number.NaN, corrections: [] }], {}],
    ['a step without end', [{ op: 'snap', ...matrix, step: Number.POSITIVE_INFINITY, corrections: [] }], {}],
    ['a correction outside', [{ op: 'snap', ...matrix, step: 1, corrections: [{ at: 100, difference: 1 }] }], {}],
    [
      'a rank above the matrix',
      [{ op: 'lowRank', ...matrix, rank: 11, scale: 1, leftLevels: levels, rightLevels: levels }],
      {},
    ],
    ['a rank of none', [{ op: 'lowRank', ...matrix, rank: 0, scale: 1, leftLevels: levels, rightLevels: levels }], {}],
    ['planes without values', [{ op: 'planes', elementBytes: 4, isFloat: true, elements: 100, rawPlanes: 0 }], {}],
    ['a sum over the base', [{ op: 'add', elementBytes: 4, offset: base.length - 4, bytes: 8 }], {}],
    ['a sum without a text', [{ op: 'add', elementBytes: 4, offset: 0, bytes: 4000 }], {}],
    ['a sum of nothing', [{ op: 'add', elementBytes: 1, offset: 0, bytes: 0 }], {}],
    ['an axis twice', [{ op: 'turned', ...tensor, axes: [1, 1] }], {}],
    ['an axis of none', [{ op: 'turned', ...tensor, axes: [2, 0] }], {}],
    ['a tensor without axes', [{ op: 'turned', ...tensor, dims: [], axes: [] }], {}],
    ['a tensor of too many axes', [{ op: 'turned', ...tensor, dims: [2, 2, 2, 2, 2], axes: [4, 3, 2, 1, 0] }], {}],
    ['a tensor of nothing', [{ op: 'turned', ...tensor, dims: [0, 10] }], {}],
    ['a tensor whose size wraps', [{ op: 'turned', ...tensor, dims: [2 ** 26, 2 ** 26] }], {}],
    ['a tensor over the base', [{ op: 'turned', ...tensor, base: base.length - 1 }], {}],
    ['a tensor whose elements share bytes', [{ op: 'turned', ...tensor, kind: 6 }], {}],
    ['a part of a tensor over the base', [{ op: 'turnedPart', ...tensor, base: base.length - 700, whole: 20 }], {}],
    ['a part of a tensor from before the base', [{ op: 'turnedPart', ...tensor, base: -1, whole: 20 }], {}],
    ['a part that is more than the tensor', [{ op: 'turnedPart', ...tensor, whole: 9 }], {}],
    ['a part of a tensor that is far larger', [{ op: 'turnedPart', ...tensor, whole: 641 }], {}],
    ['a part whose tensor wraps', [{ op: 'turnedPart', ...tensor, dims: [2 ** 26, 2 ** 26], whole: far }], {}],
    ['a part without values', [{ op: 'turnedPart', ...tensor, whole: 20 }], {}],
    ['a turned tensor without values', [{ op: 'turned', ...tensor }], {}],
    ['steps without a text', [{ op: 'cumulative', elementBytes: 4, stride: 1, bytes: 4000 }], {}],
    ['a stride of none', [{ op: 'cumulative', elementBytes: 4, stride: 0, bytes: 40 }], {}],
    ['a stride over all elements', [{ op: 'cumulative', elementBytes: 4, stride: 10, bytes: 40 }], {}],
    ['a stride from very far', [{ op: 'cumulative', elementBytes: 1, stride: far, bytes: 40 }], {}],
    ['steps of nothing', [{ op: 'cumulative', elementBytes: 1, stride: 0, bytes: 0 }], {}],
    [
      'a matrix of a wider type over the base',
      [{ op: 'derived', ...matrix, ...rule, kind: 5, base: base.length - 300 }],
      {},
    ],
    ['a derived matrix without values', [{ op: 'derived', ...matrix, ...rule }], {}],
    ['a scale that is no number', [{ op: 'derived', ...matrix, ...rule, scales: Float64Array.of(Number.NaN) }], {}],
    [
      'a scale by row that is no number',
      [
        {
          op: 'derived',
          ...matrix,
          ...rule,
          scaleBy: 'row',
          scales: new Float64Array(10).fill(Number.POSITIVE_INFINITY),
        },
      ],
      {},
    ],
    [
      'more scales than elements bear',
      [{ op: 'derived', ...matrix, ...rule, columns: 3, scaleBy: 'row', scales: new Float64Array(10) }],
      {},
    ],
    ['a threshold without end', [{ op: 'derived', ...matrix, ...rule, threshold: Number.POSITIVE_INFINITY }], {}],
    ['bytes behind a stream', [{ op: 'copy', offset: 0, bytes: 9 }], { raw: new Uint8Array(2) }],
    ['a token that nothing reads', [{ op: 'copy', offset: 0, bytes: 9 }], { tokens: [0, 1, 2] }],
    ['a patch that nothing reads', [{ op: 'copy', offset: 0, bytes: 9 }], { patches: new Uint8Array(2) }],
    ['a text that nothing reads', [{ op: 'copy', offset: 0, bytes: 9 }], { text: new Uint8Array(2) }],
  ])('%s', async (_name, operations, streams) => {
    await expect(decoded(operations, streams)).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
  });

  test('copies of the same bytes, in any order, are what a program may make', async () => {
    const operations = [40, 0, 20, 0, 39].map((offset) => ({ op: 'copy' as const, offset, bytes: 30 }));
    const made = await decoded(operations);
    expect(made).toEqual(Uint8Array.from(operations.flatMap(({ offset }) => [...base.subarray(offset, offset + 30)])));
  });
});

describe('patches of bsdiff that are small, and mean much', () => {
  const of = (text: string): Uint8Array => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  /** A step that takes one byte from the differences; 900,000 bytes in 44; nothing. */
  const step = of('QlpoOTFBWSZTWVL8HncAAAJgAGAACAAgADDMDPUFzi7kinChIKX4PO4=');
  const bomb = of('QlpoOTFBWSZTWWyRJewDbuKBADAAIAAwgE1GioQiaKhCJxdyRThQkGyRJew=');
  const nothing = of('QlpoORdyRThQkAAAAAA=');

  function patchOf(control: Uint8Array, differences: Uint8Array, extra: Uint8Array, bytes: number): Uint8Array {
    const patch = new Uint8Array(32 + control.length + differences.length + extra.length);
    patch.set(Uint8Array.from('BSDIFF40', (letter) => letter.charCodeAt(0)));
    const view = new DataView(patch.buffer);
    for (const [at, value] of [control.length, differences.length, bytes].entries()) {
      view.setBigUint64(8 + 8 * at, BigInt(value), true);
    }
    patch.set(control, 32);
    patch.set(differences, 32 + control.length);
    patch.set(extra, 32 + control.length + differences.length);
    return patch;
  }

  test('a block of much more than is made is not unpacked, however often it comes', async () => {
    const patch = patchOf(step, bomb, nothing, 1);
    const count = 4_000;
    const patches = new Uint8Array(count * patch.length);
    for (let at = 0; at < count; at++) patches.set(patch, at * patch.length);
    const one = { op: 'bsdiff' as const, from: { offset: 0, bytes: 1 }, bytes: 1, patchBytes: patch.length };
    const startMs = performance.now();
    const made = decoded(
      Array.from({ length: count }, () => one),
      { patches },
    );
    await expect(made).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
    expect(performance.now() - startMs).toBeLessThan(MAX_RUN_MS);
  });

  test('many small patches take a time that goes with their number', async () => {
    const patch = patchOf(step, of('QlpoOTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYA=='), nothing, 1);
    const count = 4_000;
    const patches = new Uint8Array(count * patch.length);
    for (let at = 0; at < count; at++) patches.set(patch, at * patch.length);
    const one = { op: 'bsdiff' as const, from: { offset: 0, bytes: 1 }, bytes: 1, patchBytes: patch.length };
    const startMs = performance.now();
    const made = await decoded(
      Array.from({ length: count }, () => one),
      { patches },
    );
    expect(made).toEqual(new Uint8Array(count).fill((base[0] as number) + 97));
    expect(performance.now() - startMs).toBeLessThan(MAX_RUN_MS);
  });
});

describe('programs by chance', () => {
  const random = seededRandom(SEED);
  const pick = (limit: number): number => Math.floor(random() * limit);
  const one = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
  const size = (): number => one([0, 1, 2, 7, 64, 1000, 4096, 65_536, 2 ** 22, 2 ** 31, 2 ** 40, 2 ** 49]) + pick(3);
  const small = (): number => one([1, 2, 3, 8, 17, 64, pick(500)]);
  const place = (): number => one([0, 0, pick(base.length), base.length, size(), -1]);
  const someLevels = () => ({ rows: Int32Array.of(pick(200) - 50), columns: new Int32Array(0) });
  const bytesBy = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => pick(256));

  function operation(): Operation {
    const isSane = pick(3) > 0;
    const amount = isSane ? small() : size();
    const shape = {
      kind: pick(ELEMENT_KINDS.length),
      rows: isSane ? small() : size(),
      columns: small(),
      base: place(),
    };
    const numbers = [1, -1, 0, 1e-300, 1e308, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -149, random()];
    switch (pick(12)) {
      case 0:
        return { op: 'copy', offset: place(), bytes: amount };
      case 1:
        return { op: 'scratch', offset: Math.abs(place()), bytes: amount };
      case 2:
        return { op: 'text', bytes: amount };
      case 3:
        return { op: 'differences', ...shape, levels: someLevels() };
      case 4: {
        const corrections = Array.from({ length: pick(4) }, (_, at) => ({ at: at * 5, difference: pick(2 ** 31) }));
        return { op: 'snap', ...shape, kind: 0, step: one(numbers), levels: someLevels(), corrections };
      }
      case 5:
        return {
          op: 'lowRank',
          ...shape,
          kind: 0,
          rank: one([0, 1, 2, 31, 32, 33, 1e9]),
          scale: one(numbers),
          leftLevels: someLevels(),
          rightLevels: someLevels(),
          levels: someLevels(),
        };
      case 6:
        return {
          op: 'planes',
          elementBytes: one([1, 2, 4, 8] as const),
          isFloat: pick(2) === 0,
          elements: amount,
          rawPlanes: pick(256),
        };
      case 7:
        return { op: 'add', elementBytes: one([1, 2, 4, 8] as const), offset: Math.abs(place()), bytes: amount * 8 };
      case 8:
        return {
          op: 'cumulative',
          elementBytes: one([1, 2, 4, 8] as const),
          stride: one([0, 1, 2, amount - 1, amount, size()]),
          bytes: amount * 8,
        };
      case 9: {
        const dims = Array.from({ length: pick(6) }, () => (isSane ? 1 + pick(9) : size()));
        const axes = dims.map((_, at) => (pick(8) === 0 ? pick(5) : dims.length - 1 - at));
        const fields = { kind: shape.kind, dims, axes, base: place(), levels: someLevels() };
        if (pick(2) === 0) return { op: 'turned', ...fields };
        return { op: 'turnedPart', ...fields, whole: one([9, 20, 64, size()]) };
      }
      case 10: {
        const scaleBy = one(['whole', 'row', 'column'] as const);
        const scales = new Float64Array(scaleBy === 'whole' ? 1 : Math.min(1e4, shape.columns)).fill(one(numbers));
        return {
          op: 'derived',
          ...shape,
          ...rule,
          from: pick(ELEMENT_KINDS.length),
          zero: pick(70_000) - 35_000,
          isUnsigned: pick(2) === 0,
          threshold: Math.abs(one(numbers)),
          scaleBy,
          scales,
          levels: someLevels(),
        };
      }
      default:
        return { op: 'bsdiff', from: { offset: place(), bytes: small() }, bytes: amount, patchBytes: pick(100) };
    }
  }

  test(`${RUNS} from seed ${SEED}`, { timeout: 600_000 }, async () => {
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const operations = Array.from({ length: 1 + pick(5) }, operation);
      const streams = {
        text: bytesBy(pick(200)),
        tokens: [...bytesBy(pick(2_000))].map((byte) => byte % 128),
        raw: bytesBy(2 * pick(200)),
        patches: bytesBy(pick(50)),
      };
      const startMs = performance.now();
      try {
        await decoded(operations, pick(2) === 0 ? streams : {});
      } catch (error) {
        refused++;
        const isAllowed = KerfError.is(error) && error.code === 'DELTA_MALFORMED';
        if (!isAllowed) throw new Error(`run ${run}, seed ${SEED}: ${JSON.stringify(operations)}`, { cause: error });
      }
      expect(performance.now() - startMs, `run ${run}, seed ${SEED}`).toBeLessThan(MAX_RUN_MS);
    }
    expect(refused).toBeGreaterThan(RUNS / 2);
  });
});
