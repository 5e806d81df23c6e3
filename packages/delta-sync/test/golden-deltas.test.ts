// test/vectors/deltas.json: every operation, decoded to the same bytes in Node and in browsers; damage is found.
import { memoryReader, readDeltaIndex, sha256Hex } from '@kerf/delta-sync';
import { KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import file from '../../../test/vectors/deltas.json' with { type: 'json' };
import { applyInMemory, plainFile } from './support/sources.ts';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

test('the vectors hold every operation', () => {
  const strategies = new Set(file.vectors.flatMap((vector) => vector.strategies));
  expect([...strategies].sort()).toEqual(
    [
      'added',
      'bsdiff',
      'byte planes',
      'copy',
      'cumulative',
      'derived',
      'differences',
      'low rank',
      'snap',
      'structure',
      'text',
      'turned',
    ].sort(),
  );
});

describe.each(file.vectors)('$name', ({ base, delta, sha256 }) => {
  test('makes the bytes that it was made for', async () => {
    const [made] = await applyInMemory(bytesOf(delta), [await plainFile('old', bytesOf(base))]);
    expect(await sha256Hex(made as Uint8Array)).toBe(sha256);
  });

  test('a wrong byte behind the index is found, or changes nothing', async () => {
    const bytes = bytesOf(delta);
    const old = [await plainFile('old', bytesOf(base))];
    const { signedBytes } = await readDeltaIndex(memoryReader(bytes));
    const random = seededRandom(7);
    let refused = 0;
    for (let run = 0; run < 25; run++) {
      const wrong = bytes.slice();
      const at = signedBytes + Math.floor(random() * (wrong.byteLength - signedBytes));
      wrong[at] = (wrong[at] as number) ^ (1 + Math.floor(random() * 255));
      // What is left unread of a bzip2 stream (its checksums) may differ; the bytes that are made may not.
      const outcome = await applyInMemory(wrong, old).then(
        ([made]) => sha256Hex(made as Uint8Array),
        (error: unknown) => KerfError.is(error) && error.code,
      );
      expect(['DELTA_MALFORMED', sha256]).toContain(outcome);
      if (outcome !== sha256) refused++;
    }
    expect(refused).toBeGreaterThan(12);
  });

  test('no prefix of it makes anything', async () => {
    const bytes = bytesOf(delta);
    const old = [await plainFile('old', bytesOf(base))];
    for (let length = 0; length < bytes.byteLength; length += 97) {
      const error: unknown = await applyInMemory(bytes.slice(0, length), old).catch((cause: unknown) => cause);
      expect(KerfError.is(error) && error.code).toBe('DELTA_MALFORMED');
    }
  });
});
