// Mutated payloads of every codec: a tensor of the size that was announced or a KerfError, in bounded time and memory.
// KERF_FUZZ_PAYLOADS sets how many (100,000 before a release), KERF_FUZZ_SEED where to start; a failure prints both.
import {
  type ActivationCodec,
  byteLengthOf,
  type CodedTensor,
  decodeActivation,
  type ErrorCode,
  encodeActivation,
  float32Tensor,
  KerfError,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  seededRandom,
  type Tensor,
} from '@kerf/protocol';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env['KERF_FUZZ_PAYLOADS'] ?? 4000);
const SEED = Number(process.env['KERF_FUZZ_SEED'] ?? 20_260_102);
const MAX_DECODED_BYTES = 1 << 20;
/** The tensors take 20 KB; a decoder that trusted a length would ask for gigabytes. */
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
const ALLOWED = new Set<ErrorCode>(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE', 'CODEC_UNKNOWN']);

type Pick = (limit: number) => number;

const shape = [1, 9, 22, 26];

/** Blobs on a quiet ground, below 0 here and there. */
function activation(seed: number, lowest: number): Tensor {
  const random = seededRandom(seed);
  const values = new Float32Array(9 * 22 * 26);
  const row0 = random() * 22;
  for (let at = 0; at < values.length; at++) {
    const row = Math.floor(at / 26) % 22;
    const column = at % 26;
    const channel = Math.floor(at / 572);
    values[at] = Math.max(
      lowest,
      Math.cos((row - row0) / 3 + channel * 0.2) * Math.sin(column / 4) * 3 + random() - 0.8,
    );
  }
  return float32Tensor(shape, values);
}

function tableOf(id: string, levels: number, isSigned: boolean, withGolden: boolean): LevelTable {
  const lowest = isSigned ? -Math.floor(levels / 2) : 0;
  const table: LevelTable = {
    id: id.repeat(32),
    rank: 4,
    channelAxis: 1,
    channels: Array.from({ length: 9 }, (_, channel) => ({
      thresholds: Float32Array.from({ length: channel === 3 ? 0 : levels - 1 }, (_, at) => lowest + at + 0.6),
      values: Float32Array.from({ length: channel === 3 ? 1 : levels }, (_, at) => lowest + at),
    })),
    order: [8, 2, 0, 1, 3, 7, 6, 5, 4],
    groups: [2, 4, 3],
    priors: null,
    restoration: null,
    golden: null,
  };
  const levelsOf = (seed: number) => ({
    shape,
    levels: quantiseLevels(new Float32Array(activation(seed, isSigned ? -4 : 0).data.buffer), shape, table),
  });
  const golden = withGolden ? levelsOf(1) : null;
  return learnPriors({ ...table, golden }, [levelsOf(1), levelsOf(2), levelsOf(3)]);
}

const tables = new Map(
  [tableOf('a1', 3, false, false), tableOf('b2', 5, true, true), tableOf('c3', 40, true, false)].map((table) => [
    table.id,
    table,
  ]),
);
tables.set('d4'.repeat(32), { ...tableOf('d4', 4, false, false), priors: null });
tables.set('e5'.repeat(32), {
  ...tableOf('e5', 5, true, false),
  restoration: Array.from({ length: 9 }, (_, channel) => ({
    sources: Uint16Array.of(channel, (channel * 5 + 2) % 9),
    weights: Float32Array.of(0.25, 0.0625, 0.5, -0.125),
  })),
});

function payloads(): CodedTensor[] {
  const codecs: ActivationCodec[] = [
    { kind: 'lossless' },
    { kind: 'float16' },
    { kind: 'uint8', channelAxis: null },
    { kind: 'uint8', channelAxis: 1 },
    ...[...tables.values()].map((table) => ({ kind: 'levels', table }) as const),
  ];
  return codecs.flatMap((codec) =>
    [1, 7].map((seed) => {
      const tensor = activation(seed, codec.kind === 'levels' && codec.table.golden !== null ? -4 : 0);
      const { codec: used, bytes } = encodeActivation(tensor, codec);
      expect(used.kind).toBe(codec.kind);
      return { codec: used, dtype: 'float32', shape, bytes };
    }),
  );
}

function mutate(bytes: Uint8Array, all: readonly CodedTensor[], pick: Pick): Uint8Array {
  const at = pick(bytes.byteLength + 1);
  switch (pick(6)) {
    case 0:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << pick(8)) : byte));
    case 1: {
      // The first bytes are where the structure is.
      const place = pick(Math.min(bytes.byteLength, 40));
      return bytes.map((byte, index) => (index === place ? pick(256) : byte));
    }
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...Array.from({ length: 1 + pick(9) }, () => pick(256)),
        ...bytes.subarray(at),
      ]);
    case 4: {
      const { bytes: other } = all[pick(all.length)] as CodedTensor;
      return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(pick(other.byteLength))]);
    }
    default:
      return bytes.map((byte, index) => (index >= at && index < at + 16 ? pick(256) : byte));
  }
}

/** Now and then the message says something else of the payload too. */
function retell(coded: CodedTensor, all: readonly CodedTensor[], pick: Pick): CodedTensor {
  switch (pick(12)) {
    case 0:
      return { ...coded, shape: shape.map((size) => (pick(2) === 0 ? size : pick(60))) };
    case 1:
      return { ...coded, shape: Array.from({ length: pick(6) }, () => pick(2 ** pick(24))) };
    case 2:
      return { ...coded, dtype: (['float32', 'float16', 'uint8', 'int64', 'string'] as const)[pick(5)] ?? 'bool' };
    case 3:
      return { ...coded, codec: (all[pick(all.length)] as CodedTensor).codec };
    default:
      return coded;
  }
}

describe('decoders of payloads under mutation', () => {
  it(`survive ${RUNS} payloads from seed ${SEED}`, { timeout: 1_800_000 }, () => {
    const seeds = payloads();
    const random = seededRandom(SEED);
    const pick: Pick = (limit) => Math.floor(random() * limit);
    const before = process.memoryUsage();
    const valid = new Map<string, number>();
    const refused = new Map<string, number>();
    let peakBytes = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = seeds[pick(seeds.length)] as CodedTensor;
      let { bytes } = seed;
      for (let edits = 1 + pick(3); edits > 0 && bytes.byteLength > 0; edits--) bytes = mutate(bytes, seeds, pick);
      const coded = retell({ ...seed, bytes }, seeds, pick);
      try {
        const tensor = decodeActivation(coded, tables, MAX_DECODED_BYTES);
        expect(tensor).toMatchObject({ dtype: coded.dtype, shape: coded.shape });
        if (tensor.dtype !== 'string') expect(tensor.data.byteLength).toBe(byteLengthOf(tensor.dtype, tensor.shape));
        count(valid, coded.codec.kind);
      } catch (error) {
        if (!KerfError.is(error) || !ALLOWED.has(error.code)) {
          const what = JSON.stringify({ ...coded, bytes: Buffer.from(bytes).toString('hex') });
          throw new Error(`run ${run} of seed ${SEED}: ${what}`, { cause: error });
        }
        count(refused, coded.codec.kind);
      }
      if (run % 64 === 0) {
        const now = process.memoryUsage();
        peakBytes = Math.max(peakBytes, now.arrayBuffers - before.arrayBuffers, now.heapUsed - before.heapUsed);
      }
    }
    expect(peakBytes).toBeLessThan(MAX_GROWTH_BYTES);
    // Every codec was refused something, and those that mutations leave readable gave tensors.
    for (const kind of ['lossless', 'float16', 'uint8', 'levels']) expect(refused.get(kind), kind).toBeGreaterThan(0);
    for (const kind of ['uint8', 'levels']) expect(valid.get(kind), kind).toBeGreaterThan(0);
    const told = (counts: Map<string, number>): string =>
      [...counts].map(([kind, each]) => `${each} ${kind}`).join(', ');
    console.log(
      `codec fuzz: ${RUNS} runs; tensors from ${told(valid)}; refused ${told(refused)}; peak growth ${(peakBytes / 2 ** 20).toFixed(1)} MiB`,
    );
  });
});

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
