// test/vectors/messages.json, read both ways: the bytes on the wire never change by accident.
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import file from '../../../test/vectors/messages.json' with { type: 'json' };
import { decodeMessage } from '../src/decode.ts';
import { encodeMessage } from '../src/encode.ts';
import { MESSAGE_TYPES, type Message } from '../src/messages.ts';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly message: unknown;
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Payloads stand in the file as `{ hex }`. */
const vectors = JSON.parse(JSON.stringify(file.vectors), (_, value: unknown) =>
  typeof value === 'object' && value !== null && 'hex' in value && !('name' in value)
    ? fromHex(value.hex as string)
    : value,
) as Vector[];

/** A message is compared as the data it stands for. */
function plain(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value)),
  );
}

describe('golden vectors', () => {
  it('hold every message type', () => {
    const types = new Set(vectors.map(({ message }) => (message as Message).type));
    expect([...types].sort()).toEqual(Object.keys(MESSAGE_TYPES).sort());
  });

  for (const { name, hex, message } of vectors) {
    const bytes = fromHex(hex);

    it(`decodes: ${name}`, () => {
      expect(plain(decodeMessage(bytes))).toEqual(plain(message));
    });

    it(`encodes: ${name}`, () => {
      expect(toHex(encodeMessage(message as Message))).toBe(hex);
    });

    it(`is msgpack as others read it: ${name}`, () => {
      const headerBytes = new DataView(bytes.buffer).getUint32(8, true);
      const header = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' }).unpack(
        bytes.slice(16, 16 + headerBytes),
      ) as Record<string, unknown>;
      const sent = message as unknown as Record<string, unknown>;
      for (const key of Object.keys(header)) {
        if (key === 'byteLength') expect(header[key]).toBe((sent['filler'] as Uint8Array).byteLength);
        else if (key !== 'tensors' && key !== 'code') expect(header[key], key).toEqual(withoutNulls(sent[key]));
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
