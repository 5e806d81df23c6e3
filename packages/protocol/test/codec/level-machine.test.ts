// Two coders of levels, TypeScript and WebAssembly: the same bytes, the same levels, the same refusals, in Node and browsers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import file from '../../../../test/vectors/codecs.json' with { type: 'json' };
import { type MachineMaker, typescriptMachine } from '../../src/codec/level-machine.ts';
import { levelLayout, quantiseBy, quantiseRun } from '../../src/codec/levels.ts';
import { decodeLevelValues, encodeLevels } from '../../src/codec/levels-codec.ts';
import { restoreBy, restoreChannels, restorerInTypescript } from '../../src/codec/restore-channels.ts';
import { wasmMachine } from '../../src/codec/wasm-machine.ts';
import { type PlaneSource, wasmRestorer } from '../../src/codec/wasm-restorer.ts';
import {
  KerfError,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  readLevelTable,
  seededRandom,
} from '../../src/index.ts';
import { anyCase, anyRestoration, blobs, reluChannel, signedChannel, tableOf } from './support/tables.ts';

/** Must not fall back unseen. */
const wasm: MachineMaker = (needs) => {
  const machine = wasmMachine(needs);
  if (machine === null) throw new TypeError('WebAssembly cannot be had here');
  return machine;
};

/** What a decoder makes of bytes, or the code that it refuses them with. */
function decoded(bytes: Uint8Array, shape: readonly number[], table: LevelTable, machine: MachineMaker): unknown {
  try {
    return decodeLevelValues(bytes, shape, table, machine);
  } catch (error) {
    if (KerfError.is(error)) return error.code;
    throw error;
  }
}

describe('the coders of TypeScript and of WebAssembly', () => {
  it('agree on any table, shape and values, with and without priors', () => {
    fc.assert(
      fc.property(anyCase, fc.boolean(), ({ table, shape, values }, learned) => {
        const levels = quantiseLevels(values, shape, table);
        const used = learned ? learnPriors(table, [{ shape, levels }]) : table;
        const bytes = encodeLevels(levels, shape, used, undefined, typescriptMachine);
        expect(encodeLevels(levels, shape, used, undefined, wasm)).toEqual(bytes);
        expect(decoded(bytes, shape, used, wasm)).toEqual(decoded(bytes, shape, used, typescriptMachine));
      }),
      { numRuns: 300 },
    );
  });

  it('agree on a large activation whose payload outgrows what was foreseen, and on what is cut short', () => {
    const shape = [1, 9, 96, 96];
    const channels = Array.from({ length: 9 }, (_, at) =>
      at % 3 === 0 ? signedChannel(63, 0.05) : reluChannel(5, 0.4),
    );
    const plain = tableOf(channels, { groups: [2, 4, 3] });
    const levels = quantiseLevels(blobs(9, 96, 96, 5, 4), shape, plain);
    for (const table of [plain, learnPriors(plain, [{ shape, levels }])]) {
      const bytes = encodeLevels(levels, shape, table, undefined, typescriptMachine);
      expect(bytes.byteLength).toBeGreaterThan(levels.length >> 3);
      for (const maxBytes of [undefined, bytes.byteLength >> 1]) {
        const here = encodeLevels(levels, shape, table, maxBytes, typescriptMachine);
        expect(encodeLevels(levels, shape, table, maxBytes, wasm)).toEqual(here);
        expect(decoded(here, shape, table, wasm)).toEqual(decoded(here, shape, table, typescriptMachine));
      }
    }
  });

  it.each([
    [1, 5, 16, 16],
    [2, 7, 13, 17],
    [3, 4, 1, 301],
    [1, 3, 401, 1],
    [1, 9, 23, 6],
    [2, 90, 3, 5],
  ])('restore channels alike, bit for bit: %i x %i x %i x %i', (batch, channels, rows, columns) => {
    const shape = [batch, channels, rows, columns];
    const layout = levelLayout(shape, tableOf(Array.from({ length: channels }, () => reluChannel(3, 1))));
    const random = seededRandom(rows);
    const planes = Float32Array.from({ length: batch * channels * rows * columns }, () => random() * 9 - 3);
    const planeSize = rows * columns;
    const source: PlaneSource = (item, channel, to) => {
      const from = (item * channels + channel) * planeSize;
      to.set(planes.subarray(from, from + planeSize));
    };
    const restoration = anyRestoration(channels, random);
    const restorer = wasmRestorer(layout, restoration);
    if (restorer === null) throw new TypeError('WebAssembly cannot be had here');
    const found = restoreBy(restorer.restoreItem, source, layout);
    restorer.release();
    expect(found).toEqual(restoreBy(restorerInTypescript(layout, restoration), source, layout));
    expect(restoreChannels(source, layout, restoration)).toEqual(found);
  });

  it('agree on the vectors of this repository', () => {
    const fromHex = (hex: string): Uint8Array =>
      Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    let vectors = 0;
    for (const vector of file.vectors) {
      if (vector.table === undefined) continue;
      vectors++;
      const table = readLevelTable(fromHex(vector.table), 'ab'.repeat(32));
      const values = new Float32Array(fromHex(vector.values).buffer as ArrayBuffer);
      const levels = quantiseLevels(values, vector.shape, table);
      for (const machine of [typescriptMachine, wasm]) {
        expect(encodeLevels(levels, vector.shape, table, undefined, machine)).toEqual(fromHex(vector.payload));
      }
    }
    expect(vectors).toBeGreaterThan(3);
  });

  it('make the same of damaged payloads', () => {
    const shape = [1, 6, 20, 24];
    const plain = tableOf(
      Array.from({ length: 6 }, (_, at) => (at === 2 ? signedChannel(41, 0.1) : reluChannel(4, 0.5))),
      {
        groups: [2, 4],
      },
    );
    const levels = quantiseLevels(blobs(6, 20, 24, 3), shape, plain);
    const table = learnPriors(plain, [{ shape, levels }]);
    const bytes = encodeLevels(levels, shape, table);
    const random = seededRandom(8);
    const outcomes = new Set<string>();
    for (let run = 0; run < 400; run++) {
      const damagedBytes = bytes.slice(0, random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length);
      for (let flips = 0; flips < 1 + random() * 3; flips++) {
        const at = Math.floor(random() * damagedBytes.length);
        if (at < damagedBytes.length) damagedBytes[at]! ^= 1 << Math.floor(random() * 8);
      }
      const known = decoded(damagedBytes, shape, table, typescriptMachine);
      outcomes.add(typeof known === 'string' ? known : 'values');
      expect(decoded(damagedBytes, shape, table, wasm)).toEqual(known);
    }
    expect(outcomes).toEqual(new Set(['MESSAGE_MALFORMED', 'values']));
  });

  it('quantise alike, on thresholds, beside them, in runs of any length', () => {
    const random = seededRandom(4);
    for (const inner of [64, 65, 79, 8192, 20_000]) {
      const channels = [2, 3, 4, 5, 17, 64].map((count) => reluChannel(count, 0.1));
      const table = tableOf(channels, { rank: 3 });
      const shape = [1, channels.length, inner];
      const values = Float32Array.from({ length: channels.length * inner }, () =>
        random() < 0.3 ? Math.fround((Math.floor(random() * 70) + 0.6) * Math.fround(0.1)) : random() * 8 - 1,
      );
      for (const [at, edge] of channels[5]!.thresholds.entries()) values[5 * inner + at] = edge;
      expect(quantiseLevels(values, shape, table)).toEqual(
        quantiseBy(quantiseRun, values, levelLayout(shape, table), table),
      );
    }
  });

  it('hold what others work on at the same time apart', () => {
    const shape = [1, 2, 8, 8];
    const table = tableOf([reluChannel(3, 0.5), reluChannel(3, 0.5)]);
    const levels = quantiseLevels(blobs(2, 8, 8, 1), shape, table);
    const bytes = encodeLevels(levels, shape, table, undefined, typescriptMachine);
    const nested: MachineMaker = (needs) => {
      const machine = wasm(needs);
      expect(encodeLevels(levels, shape, table, undefined, wasm)).toEqual(bytes);
      return machine;
    };
    expect(encodeLevels(levels, shape, table, undefined, nested)).toEqual(bytes);
  });
});
