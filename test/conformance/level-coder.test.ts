// docs/level-coder.md against the coder that ships: a decoder written from the page reads what the encoder writes.
import {
  CODEC_VERSION,
  decodeActivation,
  encodeLevels,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  readLevelTable,
  seededRandom,
} from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { plainLevels, plainValues } from '../support/plain-level-decoder.ts';
import file from '../vectors/codecs.json' with { type: 'json' };

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

interface Case {
  readonly shape: readonly number[];
  readonly channelAxis: number;
  readonly levels: number;
  readonly lowest: number;
  readonly withGolden: boolean;
}

/** Patches on a quiet ground that neighbouring channels share. */
function valuesOf({ shape, channelAxis, levels, lowest }: Case, seed: number, shift = 0): Float32Array {
  const random = seededRandom(seed);
  const inner = shape.slice(channelAxis + 1).reduce((all, size) => all * size, 1);
  const count = shape.reduce((all, size) => all * size, 1);
  const spots = Array.from({ length: 5 }, () => random() * count);
  return Float32Array.from({ length: count }, (_, at) => {
    const channel = Math.floor(at / inner) % shape[channelAxis]!;
    const place = at % Math.max(1, inner);
    const wave = Math.sin(place / 9 + shift) * Math.cos(channel / 3 + spots[0]!) * levels * 0.6;
    return random() < 0.06 ? lowest + random() * levels : Math.max(lowest, wave - 0.4 * levels + random() * 0.8);
  });
}

function tableFor(one: Case): LevelTable {
  const { shape, channelAxis, levels, lowest, withGolden } = one;
  const count = shape[channelAxis]!;
  const table: LevelTable = {
    id: 'ab'.repeat(32),
    channelAxis,
    rank: shape.length,
    channels: Array.from({ length: count }, (_, channel) => ({
      thresholds: Float32Array.from({ length: channel === 1 ? 0 : levels - 1 }, (_unused, at) => lowest + at + 0.5),
      values: Float32Array.from({ length: channel === 1 ? 1 : levels }, (_unused, at) => lowest + at),
    })),
    order: Array.from({ length: count }, (_, at) => (at * 3 + 1) % count),
    groups: [1, count - 1],
    priors: null,
    restoration: null,
    golden: null,
  };
  const sample = (seed: number) => ({ shape, levels: quantiseLevels(valuesOf(one, seed), shape, table) });
  const golden = withGolden ? sample(3) : null;
  return learnPriors({ ...table, golden }, [sample(1), sample(2), sample(3)]);
}

describe('a decoder written from docs/level-coder.md', () => {
  const cases: Record<string, Case> = {
    'a ReLU, three levels': { shape: [1, 7, 13, 17], channelAxis: 1, levels: 3, lowest: 0, withGolden: false },
    'two levels': { shape: [1, 5, 9, 9], channelAxis: 1, levels: 2, lowest: 0, withGolden: false },
    'below and above the usual': { shape: [1, 7, 12, 15], channelAxis: 1, levels: 7, lowest: -3, withGolden: false },
    'many levels': { shape: [2, 5, 11, 16], channelAxis: 1, levels: 60, lowest: -20, withGolden: false },
    'channels last': { shape: [1, 9, 11, 8], channelAxis: 3, levels: 5, lowest: -1, withGolden: false },
    'a golden part': { shape: [1, 7, 14, 18], channelAxis: 1, levels: 4, lowest: 0, withGolden: true },
  };
  for (const [name, one] of Object.entries(cases)) {
    it(`reads ${name}, with priors and without, whole and cut short`, () => {
      const learned = tableFor(one);
      const values = valuesOf(one, one.withGolden ? 3 : 9);
      const levels = quantiseLevels(values, one.shape, learned);
      for (const table of [learned, { ...learned, priors: null }]) {
        const payload = encodeLevels(levels, one.shape, table);
        if (one.withGolden && table === learned) expect(payload[0]).toBe(1);
        const plain = plainLevels(payload, one.shape, table);
        expect(plain.groups).toBe(2);
        expect(plain.levels).toEqual(levels);
        // What the coder adds to its models' own bits: its rounding, lengths and last bytes.
        expect(8 * payload.byteLength).toBeLessThan(plain.modelBits * 1.01 + 8 * 12);
        expect(8 * payload.byteLength).toBeGreaterThan(plain.modelBits);
        expect(plainLevels(encodeLevels(levels, one.shape, table, 1), one.shape, table).groups).toBe(1);
      }
    });
  }

  it('restores what is restored, whole and cut short', () => {
    const one: Case = { shape: [2, 7, 13, 17], channelAxis: 1, levels: 5, lowest: -1, withGolden: false };
    const random = seededRandom(6);
    const restoration = Array.from({ length: 7 }, (_, channel) => ({
      sources: Uint16Array.of(channel, Math.floor(random() * 7), Math.floor(random() * 7)),
      weights: Float32Array.of(
        random(),
        channel % 2 === 0 ? 0 : random() / 8,
        random(),
        random() - 0.5,
        random() - 0.5,
      ),
    }));
    const table = { ...tableFor(one), restoration };
    const levels = quantiseLevels(valuesOf(one, 9), one.shape, table);
    for (const maxBytes of [undefined, 1]) {
      const payload = encodeLevels(levels, one.shape, table, maxBytes);
      const codec = { kind: 'levels', version: CODEC_VERSION, table: table.id } as const;
      const coded = { codec, dtype: 'float32', shape: one.shape, bytes: payload } as const;
      const { data } = decodeActivation(coded, new Map([[table.id, table]]), 1 << 20);
      const plain = plainLevels(payload, one.shape, table);
      expect(plain.groups).toBe(maxBytes === undefined ? 2 : 1);
      const wanted = plainValues(plain.levels, one.shape, table, plain.groups);
      expect(new Float32Array(data.buffer, data.byteOffset, wanted.length)).toEqual(wanted);
    }
  });

  it('reads the vectors', () => {
    let read = 0;
    for (const { table: hex, shape, values, payload } of file.vectors) {
      if (hex === undefined) continue;
      const table = readLevelTable(fromHex(hex), 'ab'.repeat(32));
      const levels = quantiseLevels(new Float32Array(fromHex(values).buffer as ArrayBuffer), shape, table);
      expect(plainLevels(fromHex(payload), shape, table).levels).toEqual(levels);
      read++;
    }
    expect(read).toBeGreaterThan(3);
  });
});
