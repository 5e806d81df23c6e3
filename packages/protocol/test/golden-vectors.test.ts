// test/vectors/messages.json, read both ways: the bytes on the wire never change by accident.
import { readFileSync } from 'node:fs';
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../src/decode.ts';
import { encodeMessage } from '../src/encode.ts';
import { MESSAGE_TYPES, type Message } from '../src/messages.ts';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly message: unknown;
}

const file = new URL('../../../test/vectors/messages.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) =>
  typeof value === 'object' && value !== null && 'hex' in value && !('name' in value)
    ? new Uint8Array(Buffer.from(value.hex as string, 'hex'))
    : value,
) as { vectors: Vector[] };

/** Buffers and plain arrays compare unequal in vitest; a message is compared as the data it stands for. */
function plain(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

describe('golden vectors', () => {
  it('hold every message type', () => {
    const types = new Set(vectors.map(({ message }) => (message as Message).type));
    expect([...types].sort()).toEqual(Object.keys(MESSAGE_TYPES).sort());
  });

  for (const { name, hex, message } of vectors) {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));

    it(`decodes: ${name}`, () => {
      expect(plain(decodeMessage(bytes))).toEqual(plain(message));
    });

    it(`encodes: ${name}`, () => {
      expect(Buffer.from(encodeMessage(message as Message)).toString('hex')).toBe(hex);
    });

    it(`is msgpack as others read it: ${name}`, () => {
      const headerBytes = Buffer.from(bytes).readUInt32LE(8);
      const header = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' }).unpack(
        bytes.slice(16, 16 + headerBytes),
      ) as Record<string, unknown>;
      const sent = message as unknown as Record<string, unknown>;
      for (const key of Object.keys(header)) {
        if (key !== 'tensors' && key !== 'code') expect(header[key], key).toEqual(withoutNulls(sent[key]));
      }
    });
  }
});

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}
