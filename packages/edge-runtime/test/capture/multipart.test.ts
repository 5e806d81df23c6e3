// Forms as a browser makes them, and bytes that are no form.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMultipart } from '../../src/capture/multipart.ts';

async function formOf(
  fields: Record<string, string | Uint8Array<ArrayBuffer>>,
): Promise<{ body: Uint8Array; type: string }> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.set(name, value);
    else form.set(name, new Blob([value], { type: 'image/png' }), 'part.png');
  }
  const response = new Response(form);
  return { body: new Uint8Array(await response.arrayBuffer()), type: response.headers.get('content-type') ?? '' };
}

describe('multipart', () => {
  test('reads what the platform writes, bytes with line breaks and dashes included', async () => {
    const picture = Uint8Array.from({ length: 3000 }, (_, at) => [13, 10, 45, 45, at & 255][at % 5] as number);
    const { body, type } = await formOf({ part: 'P-1', picture });
    const fields = readMultipart(body, type);
    expect(fields.map(({ name, fileName }) => [name, fileName])).toEqual([
      ['part', null],
      ['picture', 'part.png'],
    ]);
    expect(new TextDecoder().decode(fields[0]!.bytes)).toBe('P-1');
    expect(fields[1]!.bytes).toEqual(picture);
  });

  test('any bytes of a field survive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const { body, type } = await formOf({ picture: Uint8Array.from(bytes) });
        expect(readMultipart(body, type)[0]?.bytes).toEqual(Uint8Array.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('what is cut off anywhere is refused with INVALID_ARGUMENT, never half read', async () => {
    const { body, type } = await formOf({ part: 'P-1', picture: new Uint8Array(20) });
    for (let length = 0; length < body.byteLength - 4; length++) {
      expect(() => readMultipart(body.subarray(0, length), type)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  test('a type without a boundary, and too many fields, are refused', async () => {
    expect(() => readMultipart(new Uint8Array(4), 'multipart/form-data')).toThrow('boundary');
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, 'x']));
    const { body, type } = await formOf(many);
    expect(() => readMultipart(body, type)).toThrow('more than 32');
  });
});
