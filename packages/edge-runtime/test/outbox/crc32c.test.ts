// The checksum of the log, by the examples of its standard.
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/outbox/crc32c.ts';

describe('CRC-32C', () => {
  const rising = Uint8Array.from({ length: 32 }, (_, at) => at);

  /** RFC 3720, appendix B.4; the last one is the check value of the catalogue of CRC algorithms. */
  test.each([
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [rising, 0x46dd794e],
    [rising.toReversed(), 0x113fdb5c],
    [new TextEncoder().encode('123456789'), 0xe3069283],
  ])('%#', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test('of two pieces is that of the whole, wherever they part and begin in memory', () => {
    const whole = crc32c(rising);
    for (let at = 0; at <= rising.length; at++) {
      expect(crc32c(rising.subarray(at), crc32c(rising.subarray(0, at)))).toBe(whole);
    }
  });
});
