// test/vectors/codecs.json, both ways, in Node and in browsers: a payload is the same bytes everywhere, and stays so.
import { describe, expect, it } from 'vitest';
import file from '../../../../test/vectors/codecs.json' with { type: 'json' };
import {
  type ActivationCodec,
  CODEC_VERSION,
  type CodedPayloadCodec,
  decodeActivation,
  encodeActivation,
  makeTensor,
  quantiseLevels,
  readLevelTable,
  reconstructLevels,
  type Tensor,
  typedView,
  writeLevelTable,
} from '../../src/index.ts';

interface Vector {
  readonly name: string;
  readonly kind: 'lossless' | 'float16' | 'uint8' | 'levels';
  readonly channelAxis?: number | null;
  readonly dtype: 'float32' | 'uint8';
  readonly shape: readonly number[];
  readonly values: string;
  readonly table?: string;
  readonly payload: string;
  /** Where it is more than the values of the levels. */
  readonly decoded?: string;
}

const ID = 'ab'.repeat(32);
const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

describe(`payloads of codec version ${file.version}`, () => {
  it('are of the version of this build', () => {
    expect(file.version).toBe(CODEC_VERSION);
  });

  for (const {
    name,
    kind,
    dtype,
    channelAxis = null,
    shape,
    values,
    table: tableHex,
    payload,
    decoded,
  } of file.vectors as Vector[]) {
    const tensor = makeTensor(dtype, shape, fromHex(values));
    const table = tableHex === undefined ? null : readLevelTable(fromHex(tableHex), ID);
    const codec: ActivationCodec =
      table !== null
        ? { kind: 'levels', table }
        : kind === 'uint8'
          ? { kind, channelAxis }
          : { kind: kind as 'lossless' };
    const sent: CodedPayloadCodec =
      table === null
        ? { kind: kind as 'lossless', version: CODEC_VERSION }
        : { kind: 'levels', version: CODEC_VERSION, table: ID };

    it(`are written byte for byte: ${name}`, () => {
      const coded = encodeActivation(tensor, codec);
      expect(coded.codec).toEqual(sent);
      expect(toHex(coded.bytes)).toBe(payload);
      if (table !== null) expect(toHex(writeLevelTable(table))).toBe(tableHex);
    });

    it(`are read: ${name}`, () => {
      const coded = { codec: sent, dtype, shape, bytes: fromHex(payload) } as const;
      const got = decodeActivation(coded, table === null ? new Map() : new Map([[ID, table]]), 1 << 20);
      if (decoded !== undefined) expect(toHex(got.data)).toBe(decoded);
      if (kind === 'lossless' || kind === 'float16') {
        expect(toHex(got.data)).toBe(values);
        return;
      }
      const floats = (tensor: Tensor): Float32Array => typedView(tensor as Tensor & { dtype: 'float32' });
      const wanted = floats(tensor);
      if (table !== null) {
        expect(floats(got)).toEqual(reconstructLevels(quantiseLevels(wanted, shape, table), shape, table));
      } else {
        for (const [at, value] of floats(got).entries()) expect(value).toBeCloseTo(wanted[at]!, 1);
      }
    });
  }
});
