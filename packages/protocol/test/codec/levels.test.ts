// The levels codec: every level comes back, groups may be cut off, tables are files, and wrong bytes are errors.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CodedTensor,
  decodeActivation,
  encodeActivation,
  encodeLevels,
  float32Tensor,
  KerfError,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  readLevelTable,
  reconstructLevels,
  seededRandom,
  type Tensor,
  typedView,
  writeLevelTable,
} from '../../src/index.ts';
import { anyCase, anyRestoration, blobs, reluChannel, signedChannel, tableOf } from './support/tables.ts';

const LIMIT = 1 << 26;

function decode(bytes: Uint8Array, shape: readonly number[], table: LevelTable): Float32Array {
  const codec = { kind: 'levels', version: 1, table: table.id } as const;
  const coded: CodedTensor = { codec, dtype: 'float32', shape, bytes };
  return typedView(decodeActivation(coded, new Map([[table.id, table]]), LIMIT) as Tensor & { dtype: 'float32' });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (KerfError.is(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('levels', () => {
  it('come back exactly, of any rank, axis, size, number of levels and order, with and without priors', () => {
    fc.assert(
      fc.property(anyCase, fc.boolean(), ({ table, shape, values }, learned) => {
        const levels = quantiseLevels(values, shape, table);
        const used = learned ? learnPriors(table, [{ shape, levels }]) : table;
        const bytes = encodeLevels(levels, shape, used);
        expect(decode(bytes, shape, used)).toEqual(reconstructLevels(levels, shape, used));
      }),
      { numRuns: 300 },
    );
  });

  it('are how many thresholds are at most the value', () => {
    const table = tableOf(
      [signedChannel(5, 1), reluChannel(9, 0.5), { thresholds: new Float32Array(0), values: Float32Array.of(7) }],
      {
        rank: 2,
      },
    );
    const values = Float32Array.from({ length: 300 }, (_, at) => Math.sin(at) * 6);
    const levels = quantiseLevels(values, [100, 3], table);
    const back = reconstructLevels(levels, [100, 3], table);
    for (let at = 0; at < values.length; at++) {
      const channel = at % 3;
      const { thresholds, values: known } = table.channels[channel]!;
      const level = thresholds.filter((threshold) => threshold <= values[at]!).length;
      expect(levels[Math.floor(at / 3) * 3 + channel]).toBe(level);
      expect(back[at]).toBe(known[level]);
    }
  });

  it('of every frame cost less with priors from other frames', () => {
    const shape = [1, 16, 28, 28];
    const plain = tableOf(Array.from({ length: 16 }, () => reluChannel(4, 0.5)));
    const sampleOf = (seed: number) => ({ shape, levels: quantiseLevels(blobs(16, 28, 28, seed), shape, plain) });
    const learned = learnPriors(plain, [1, 2, 3, 4, 5, 6].map(sampleOf));
    for (const seed of [11, 12, 13]) {
      const { levels } = sampleOf(seed);
      expect(encodeLevels(levels, shape, learned).byteLength).toBeLessThan(
        encodeLevels(levels, shape, plain).byteLength,
      );
    }
  });
});

describe('what is quiet', () => {
  it('costs a bit a plane and no time for its values', () => {
    const shape = [1, 64, 128, 128];
    const table = tableOf(Array.from({ length: 64 }, () => reluChannel(4, 1)));
    const levels = new Uint8Array(64 * 128 * 128);
    expect(encodeLevels(levels, shape, table).byteLength).toBeLessThan(16);
    // One value in one of its rows: rows without any cost next to nothing too.
    for (let channel = 0; channel < 64; channel++) levels[channel * 16_384 + 64 * 128 + 64] = 2;
    const bytes = encodeLevels(levels, shape, table);
    expect(bytes.byteLength).toBeLessThan(64 * 8);
    expect(decode(bytes, shape, table)).toEqual(reconstructLevels(levels, shape, table));
  });

  it('and a channel of one value are not sent at all', () => {
    const table = tableOf([reluChannel(1, 1), reluChannel(1, 1)]);
    const bytes = encodeLevels(new Uint8Array(2 * 100), [1, 2, 10, 10], table);
    expect(bytes.byteLength).toBe(2);
    expect(decode(bytes, [1, 2, 10, 10], table)).toEqual(new Float32Array(200));
  });
});

describe('a payload of levels', () => {
  const shape = [2, 12, 9, 7];
  const table = learnPriors(
    tableOf(
      Array.from({ length: 12 }, (_, at) => reluChannel(2 + (at % 5), 0.4)),
      { groups: [3, 1, 6, 2] },
    ),
    [{ shape, levels: new Uint8Array(2 * 12 * 63) }],
  );
  const values = Float32Array.from([...blobs(12, 9, 7, 1), ...blobs(12, 9, 7, 2)]);
  const tensor = float32Tensor(shape, values);

  it('is cut after the last group that fits; channels that are missing come back as their mean', () => {
    const whole = encodeActivation(tensor, { kind: 'levels', table });
    const full = decode(whole.bytes, shape, table);
    const lengths = new Set<number>();
    for (let maxBytes = 0; maxBytes <= whole.bytes.byteLength + 7; maxBytes += 7) {
      const { bytes } = encodeActivation(tensor, { kind: 'levels', table }, { maxBytes });
      lengths.add(bytes.byteLength);
      expect(bytes).toEqual(whole.bytes.subarray(0, bytes.byteLength));
      if (lengths.size > 1) expect(bytes.byteLength).toBeLessThanOrEqual(maxBytes);
      const groups = lengths.size;
      const sent = table.groups.slice(0, groups).reduce((sum, size) => sum + size, 0);
      const got = decode(bytes, shape, table);
      for (let at = 0; at < got.length; at++) {
        const channel = Math.floor(at / 63) % 12;
        expect(got[at]).toBe(channel < sent ? full[at] : table.priors!.means[channel]);
      }
    }
    expect(lengths.size).toBe(4);
  });

  it('that ends anywhere but after a group is an error', () => {
    const { bytes } = encodeActivation(tensor, { kind: 'levels', table });
    const ends = new Set<number>();
    for (let maxBytes = 0; maxBytes <= bytes.byteLength; maxBytes++) {
      ends.add(encodeActivation(tensor, { kind: 'levels', table }, { maxBytes }).bytes.byteLength);
    }
    for (let end = 0; end < bytes.byteLength; end++) {
      expect(codeOf(() => decode(bytes.subarray(0, end), shape, table))).toBe(
        ends.has(end) ? 'none' : 'MESSAGE_MALFORMED',
      );
    }
  });

  it('of another version, an unknown table, another dtype or shape is refused', () => {
    const { bytes } = encodeActivation(tensor, { kind: 'levels', table });
    const codec = { kind: 'levels', version: 1, table: table.id } as const;
    const coded: CodedTensor = { codec, dtype: 'float32', shape, bytes };
    const tables = new Map([[table.id, table]]);
    const code = (change: Partial<CodedTensor>): string =>
      codeOf(() => decodeActivation({ ...coded, ...change }, tables, LIMIT));
    expect(code({ codec: { ...codec, version: 2 } })).toBe('CODEC_UNKNOWN');
    expect(code({ codec: { ...codec, table: 'cd'.repeat(32) } })).toBe('CODEC_UNKNOWN');
    expect(code({ dtype: 'int32' })).toBe('MESSAGE_MALFORMED');
    expect(code({ shape: [2, 11, 9, 7] })).toBe('MESSAGE_MALFORMED');
    expect(code({ shape: [2, 12, 63] })).toBe('MESSAGE_MALFORMED');
    expect(code({ shape: [9000, 12, 900, 700] })).toBe('MESSAGE_TOO_LARGE');
    expect(
      codeOf(() => encodeActivation(float32Tensor([1, 11, 2, 2], new Float32Array(44)), { kind: 'levels', table })),
    ).toBe('TENSOR_MISMATCH');
  });

  it('with NaN or infinity goes without loss or is refused', () => {
    const bad = values.slice();
    bad[5] = Number.NaN;
    bad[9] = Number.NEGATIVE_INFINITY;
    const tensor = float32Tensor(shape, bad);
    expect(encodeActivation(tensor, { kind: 'levels', table })).toMatchObject({
      codec: { kind: 'lossless' },
      nonFinite: 2,
    });
    expect(codeOf(() => encodeActivation(tensor, { kind: 'levels', table }, { nonFinite: 'refuse' }))).toBe(
      'ACTIVATION_NOT_FINITE',
    );
  });
});

describe('a golden part', () => {
  const shape = [1, 12, 40, 40];
  const plain = tableOf(
    Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? reluChannel(4, 0.4) : signedChannel(5, 0.5))),
  );
  const levelsOf = (seed: number, noiseSeed: number): Uint8Array => {
    // Spots of its own in every channel, so that channels do not tell of each other.
    const channels = Array.from({ length: 12 }, (_, channel) => blobs(1, 40, 40, seed * 100 + channel, 0));
    const part = Float32Array.from(channels.flatMap((values) => [...values]));
    const noise = seededRandom(noiseSeed);
    return quantiseLevels(
      part.map((value) => value + (noise() - 0.5) * 0.3),
      shape,
      plain,
    );
  };
  const samples = [1, 2, 3].map((noiseSeed) => ({ shape, levels: levelsOf(5, noiseSeed) }));
  const anyPose = [21, 22, 23].map((seed) => ({ shape, levels: levelsOf(seed, seed) }));
  const golden = { shape, levels: levelsOf(5, 77) };

  it('saves a tenth or more where parts lie as it does', () => {
    const without = learnPriors(plain, [...samples, ...anyPose]);
    const with0 = learnPriors({ ...plain, golden }, [...samples, ...anyPose]);
    for (const noiseSeed of [11, 12]) {
      const levels = levelsOf(5, noiseSeed);
      const bytes = encodeLevels(levels, shape, with0);
      expect(bytes.byteLength).toBeLessThan(encodeLevels(levels, shape, without).byteLength * 0.9);
      expect(decode(bytes, shape, with0)).toEqual(reconstructLevels(levels, shape, with0));
    }
  });

  it('costs next to nothing where they do not, nor in frames of another size', () => {
    const without = learnPriors(plain, samples);
    const with0 = learnPriors({ ...plain, golden }, samples);
    const random = seededRandom(9);
    const frames: [Uint8Array, readonly number[]][] = [
      [levelsOf(31, 1), shape],
      [levelsOf(32, 2), shape],
      [new Uint8Array(12 * 1600).map(() => Math.floor(random() * 4)), shape],
      [new Uint8Array(12 * 1600), shape],
      [levelsOf(33, 3), [1, 12, 64, 25]],
    ];
    for (const [levels, size] of frames) {
      const bytes = encodeLevels(levels, size, with0);
      expect(bytes.byteLength).toBeLessThanOrEqual(encodeLevels(levels, size, without).byteLength * 1.03 + 32);
      expect(decode(bytes, size, with0)).toEqual(reconstructLevels(levels, size, with0));
    }
  });

  it('that a payload speaks of must be in the table, for that size', () => {
    const bytes = encodeLevels(levelsOf(5, 11), shape, learnPriors({ ...plain, golden }, samples));
    expect(codeOf(() => decode(bytes, shape, plain))).toBe('MESSAGE_MALFORMED');
  });
});

describe('a level table', () => {
  it('comes back from its bytes, and gives the same bytes again', () => {
    fc.assert(
      fc.property(anyCase, fc.boolean(), ({ table, shape, values }, learned) => {
        const levels = quantiseLevels(values, shape, table);
        const used = learned ? learnPriors(table, [{ shape, levels }]) : table;
        const bytes = writeLevelTable(used);
        const read = readLevelTable(bytes, used.id);
        expect(read).toEqual(used);
        expect(writeLevelTable(read)).toEqual(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('that is damaged anywhere is an error or another table, never anything else', () => {
    const table = learnPriors(
      tableOf([reluChannel(3, 1), signedChannel(5, 1), reluChannel(1, 1)], { groups: [1, 2] }),
      [{ shape: [1, 3, 2, 2], levels: new Uint8Array(12) }],
    );
    const golden = { shape: [1, 3, 4, 4], levels: new Uint8Array(48) };
    const restoration = anyRestoration(3, seededRandom(4));
    const bytes = writeLevelTable({ ...table, golden, restoration });
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(Math.min(400, bytes.byteLength - 1)), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const changed = cut ? bytes.slice(0, at) : bytes.slice();
        if (!cut) changed[at] = value;
        const code = codeOf(() => readLevelTable(changed, 'id'));
        expect(['none', 'MANIFEST_INVALID']).toContain(code);
        if (code !== 'none') refused++;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it.each<[string, Partial<LevelTable>]>([
    ['no channel', { channels: [], order: [], groups: [] }],
    ['an axis that it lacks', { channelAxis: 4 }],
    ['thresholds that fall', { channels: [{ thresholds: Float32Array.of(2, 1), values: Float32Array.of(0, 1, 2) }] }],
    [
      'a value that is not finite',
      { channels: [{ thresholds: Float32Array.of(1), values: Float32Array.of(0, Number.NaN) }] },
    ],
    ['a channel without values', { channels: [{ thresholds: Float32Array.of(), values: Float32Array.of() }] }],
    ['65 levels', { channels: [reluChannel(65, 1)] }],
    ['groups of another sum', { groups: [1, 1] }],
    ['a channel twice', { order: [0, 0] }],
    ['a golden part of another size', { golden: { shape: [1, 1, 2, 2], levels: new Uint8Array(3) } }],
    ['restored channels of another count', { restoration: [] }],
    [
      'a source that there is not',
      { restoration: [{ sources: Uint16Array.of(1), weights: Float32Array.of(0, 0, 1) }] },
    ],
    ['a weight too few', { restoration: [{ sources: Uint16Array.of(0), weights: Float32Array.of(0, 0) }] }],
    [
      'a weight that is not finite',
      { restoration: [{ sources: Uint16Array.of(), weights: Float32Array.of(Number.NaN, 0) }] },
    ],
    ['17 sources', { restoration: [{ sources: new Uint16Array(17), weights: new Float32Array(19) }] }],
    ['a golden level that its channel lacks', { golden: { shape: [1, 1, 1, 1], levels: Uint8Array.of(9) } }],
  ])('with %s cannot be written', (_name, change) => {
    const table = tableOf([reluChannel(3, 1)]);
    expect(codeOf(() => writeLevelTable({ ...table, ...change }))).toBe('INVALID_ARGUMENT');
  });
});
